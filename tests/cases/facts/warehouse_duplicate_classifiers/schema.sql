CREATE TABLE release_classifiers (release_id CHAR(36), trove_id INTEGER);
