CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, meta JSON DEFAULT '{}' NOT NULL);
-- expand step (what the schema revision before the data step would do)
ALTER TABLE users ADD COLUMN identity_verification_status VARCHAR(255);
ALTER TABLE users ADD COLUMN identity_verification_id VARCHAR(255);
CREATE UNIQUE INDEX users_identity_verification_id_key ON users (identity_verification_id);
