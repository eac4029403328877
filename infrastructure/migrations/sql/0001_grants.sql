-- What the service may do. {role} is quoted by who fills it in. On events: read and append, nothing else.
-- CREATE on the schema, because projections make their own tables.

GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}
--;
GRANT SELECT, INSERT ON events TO {role}
--;
GRANT SELECT, INSERT ON answers TO {role}
--;
GRANT SELECT, INSERT, DELETE ON claims TO {role}
--;
GRANT SELECT, INSERT, UPDATE ON vault, credentials, tokens, latch TO {role}
--;
-- An erased account holder's login name goes with its row.
GRANT DELETE ON credentials TO {role}
--;
GRANT SELECT ON alembic_version TO {role}
--;
GRANT EXECUTE ON FUNCTION
    sunlot_lock, sunlot_refuse, sunlot_claim, sunlot_keep_persons, sunlot_keep_secrets, sunlot_append TO {role}
