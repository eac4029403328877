-- Erasing: a person in the list may be one whose data goes (`erased`), and with it the credential of an account.
-- What is erased stays erased: no later write brings it back.

CREATE OR REPLACE FUNCTION sunlot_keep_persons(persons json) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    p record;
    other text;
    now_at text;
BEGIN
    FOR p IN SELECT * FROM json_to_recordset(persons)
        AS w (person text, value text, salt text, unique_key text, retain_until text, erased boolean, account text)
    LOOP
        IF p.erased THEN
            SELECT g.at INTO now_at FROM events g ORDER BY g.idx DESC LIMIT 1;
            INSERT INTO vault AS v (person, erased_at) VALUES (p.person, now_at)
            ON CONFLICT (person) DO UPDATE SET
                value = NULL, salt = NULL, unique_key = NULL, erased_at = coalesce(v.erased_at, excluded.erased_at);
            DELETE FROM credentials WHERE account = p.account;
            CONTINUE;
        END IF;
        SELECT v.person INTO other FROM vault v WHERE v.unique_key = p.unique_key AND v.person <> p.person;
        IF FOUND THEN
            PERFORM sunlot_refuse('SL004', json_build_object('kind', 'vault', 'key', '', 'holder', other));
        END IF;
        INSERT INTO vault AS v (person, value, salt, unique_key, retain_until)
        VALUES (p.person, p.value, p.salt, p.unique_key, p.retain_until)
        ON CONFLICT (person) DO UPDATE SET
            value = excluded.value, salt = excluded.salt, unique_key = excluded.unique_key,
            retain_until = excluded.retain_until
        WHERE v.erased_at IS NULL;
    END LOOP;
END
$body$
--;
CREATE FUNCTION sunlot_refuse_return() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'vault: what is erased stays erased' USING ERRCODE = 'restrict_violation';
END
$body$
--;
CREATE TRIGGER vault_stays_erased BEFORE UPDATE ON vault
FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL AND NEW.erased_at IS NULL) EXECUTE FUNCTION sunlot_refuse_return()
