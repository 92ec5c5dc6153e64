CREATE TABLE recipes (id VARCHAR(255) PRIMARY KEY, name VARCHAR(255), description VARCHAR(255));
CREATE INDEX ix_recipes_name ON recipes (name);
CREATE INDEX ix_recipes_description ON recipes (description);
CREATE TABLE recipes_ingredients (id INTEGER PRIMARY KEY, note VARCHAR(255), original_text VARCHAR(255));
CREATE INDEX ix_recipes_ingredients_note ON recipes_ingredients (note);
CREATE INDEX ix_recipes_ingredients_original_text ON recipes_ingredients (original_text);
-- expand step (what the schema revision before the data step would do)
ALTER TABLE recipes ADD COLUMN name_normalized VARCHAR(255) NOT NULL DEFAULT '';
ALTER TABLE recipes ADD COLUMN description_normalized VARCHAR(255);
ALTER TABLE recipes_ingredients ADD COLUMN note_normalized VARCHAR(255);
ALTER TABLE recipes_ingredients ADD COLUMN original_text_normalized VARCHAR(255);
