CREATE TABLE messages (id varchar PRIMARY KEY, agent_id varchar, created_at timestamptz);
-- expand step (what the schema revision before the data step would do)
ALTER TABLE messages ADD COLUMN sequence_id bigint;
ALTER TABLE messages ALTER COLUMN created_at SET NOT NULL;
CREATE SEQUENCE message_seq_id START 1;
