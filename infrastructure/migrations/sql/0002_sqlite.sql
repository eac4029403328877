-- What is erased stays erased: no later write brings it back.

CREATE TRIGGER vault_stays_erased BEFORE UPDATE ON vault
WHEN OLD.erased_at IS NOT NULL AND NEW.erased_at IS NULL
BEGIN
    SELECT RAISE(ABORT, 'vault: what is erased stays erased');
END
