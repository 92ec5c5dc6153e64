CREATE TABLE trial_values (trial_value_id INTEGER PRIMARY KEY, trial_id INTEGER NOT NULL, objective INTEGER NOT NULL, value DOUBLE PRECISION, UNIQUE (trial_id, objective));
-- expand step (what the schema revision before the data step would do)
ALTER TABLE trial_values ADD COLUMN value_type VARCHAR(7) DEFAULT 'FINITE' NOT NULL;
