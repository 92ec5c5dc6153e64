CREATE TABLE packages (id INTEGER PRIMARY KEY);
CREATE TABLE builds (id INTEGER PRIMARY KEY, package_id INTEGER REFERENCES packages (id));
CREATE TABLE testcases (id INTEGER PRIMARY KEY, name VARCHAR(255), package_id INTEGER, CONSTRAINT testcases_package_id_fkey FOREIGN KEY (package_id) REFERENCES packages (id));
CREATE TABLE comment_testcase_assoc (comment_id INTEGER, testcase_id INTEGER);
-- expand step (what the schema revision before the data step would do)
CREATE TABLE build_testcase_table (build_id INTEGER, testcase_id INTEGER);
