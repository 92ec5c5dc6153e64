CREATE TABLE studies (study_id INTEGER PRIMARY KEY, direction VARCHAR(8));
CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number INTEGER, study_id INTEGER, value DOUBLE PRECISION);
CREATE TABLE trial_values (trial_value_id INTEGER AUTO_INCREMENT PRIMARY KEY, trial_id INTEGER NOT NULL, value DOUBLE PRECISION NOT NULL, step INTEGER);
-- expand step (what the schema revision before the data step would do)
CREATE TABLE study_directions (study_direction_id INTEGER AUTO_INCREMENT PRIMARY KEY, direction VARCHAR(8) NOT NULL, study_id INTEGER NOT NULL, objective INTEGER NOT NULL, UNIQUE (study_id,objective));
CREATE TABLE trial_intermediate_values (trial_intermediate_value_id INTEGER AUTO_INCREMENT PRIMARY KEY, trial_id INTEGER NOT NULL, step INTEGER NOT NULL, intermediate_value DOUBLE PRECISION NOT NULL, UNIQUE (trial_id,step));
ALTER TABLE trial_values ADD COLUMN objective INTEGER;
