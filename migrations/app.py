"""ResumeAI as a Flask application, as far as migrations need it: `flask --app migrations.app db upgrade`."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from migrations.models import DATABASE_URL, Base

app = Flask(__name__, instance_path=str(Path.cwd()))  # a relative SQLite file is where `alembic` sees it
app.config["SQLALCHEMY_DATABASE_URI"] = DATABASE_URL
db = SQLAlchemy(app, metadata=Base.metadata)
Migrate(app, db)
