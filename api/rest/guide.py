"""The guide at the head of the documentation: from an empty log to a published result, step by step."""

from typing import Final

GUIDE: Final = """\
Sunlot 晴签：“双随机、一公开”生态环境监督抽查。 Double-random, one-public environmental inspections with an
audit ledger that outsiders verify.

## 如何使用 How to use it

1. **登录 Sign in**: `POST /api/v1/sessions` with login name and password; send the token as
   `Authorization: Bearer …` with every other request. `/api/v1/public/` and `/ledger/` need none.
2. **修改 Change what exists**: read it, take its `ETag`, send it as `If-Match`. Absent: 428; not the present
   version any more: 412. Every answer of a command has the next `ETag`.
3. **重试 Retry safely**: send an `Idempotency-Key` of your own with every POST. The same key with the same
   request gives the same answer and does nothing twice; with another request: 422.
4. **错误 Errors**: `application/problem+json`; compare `code`, show `detail` (Chinese, or English by
   `Accept-Language: en`). `errors[]` point into your request.
5. **列表 Lists**: `items` and `next`; ask again with `after=<next>`, or follow `Link: rel="next"`.
6. **先写后读 Read your writes**: an answer waits up to a second until lists show what it did;
   `Sunlot-Projected: false` says that they do not yet. `Sunlot-Position` is log and position.
7. **补录 Recorded later**: every command takes `occurred_at`; both times are kept and back-dating shows.

## 一次抽查的全过程 One inspection, from draw to publication

Who does it stands in brackets; every operation below names its permission and roles.

1. [city-officer] Import or enter sites (`POST /api/v1/sites`), inspectors, items (`POST /api/v1/items`).
2. [leader] Publish the catalogue: `POST /api/v1/catalogues/{region}/editions`.
3. [city-officer] `POST /api/v1/plans`, `PUT /api/v1/plans/{id}/rows/{no}`, `…/submission`; [leader]
   `…/approval`; [city-officer] `…/publication`.
4. [city-officer] Announce: `POST /api/v1/draws`, with the accounts that keep the secrets of `agency` and
   `discipline`, and a public source such as `{"kind": "dice", "rolls": 20}`.
5. [each custodian] Keep 32 random bytes; `POST /api/v1/draws/{id}/commitments` with the SHA-256 of
   `sunlot-commit-v1` ‖ 00 ‖ log ‖ 00 ‖ draw number ‖ attempt (32 bits each, big-endian) ‖ party ‖ 00 ‖
   secret.
6. [city-officer] `POST …/seal`. [each custodian] `GET …/seal/receipt`, keep it, then `POST …/reveals`.
7. Roll the dice before witnesses; [each custodian] `POST …/typed-values`. [city-officer] `POST …/completion`.
8. [inspector] `GET /api/v1/worklist`, `POST /api/v1/inspections` with the assignment. [leader]
   `POST /api/v1/inspections/{id}/approval` (found by `POST /api/v1/worklist/readings`).
9. [inspector] `…/notice`, `…/identity`, files by `POST /api/v1/blobs`, `…/evidence`, `…/findings`,
   `…/conclusion`.
10. [city-officer, leader or inspector outside the team] `…/review`; [inspector or city-officer]
    `…/publication`. The result stands at `GET /api/v1/public/results`.
11. [city-officer] Violations: `POST /api/v1/violations/{id}/order`, `…/submission`; [somebody else]
    `…/verification`, `…/closing`.
12. [city-officer] When all is reviewed: `POST /api/v1/draws/{id}/opening`. Anybody recomputes the draw from
    `GET /api/v1/public/draws/{id}/files`.
"""
