"""Recipes and ingredients: texts as people type them when they search."""

import unicodedata

from pydantic import BaseModel

import backfill

SPELLED = str.maketrans({"ß": "ss", "⁄": "/", "北": "Bei ", "京": "Jing ", "烤": "Kao ", "鸭": "Ya "})  # noqa: RUF001


class Recipe(BaseModel):
    """Read."""

    name: str | None
    description: str | None


class SearchableRecipe(BaseModel):
    """Written."""

    name_normalized: str
    description_normalized: str | None


class Ingredient(BaseModel):
    """Read."""

    note: str | None
    original_text: str | None


class SearchableIngredient(BaseModel):
    """Written."""

    note_normalized: str | None
    original_text_normalized: str | None


def normalized(text: str | None) -> str | None:
    """Stand for the project's library: Latin letters without accents, lower case, no blanks around."""
    if text is None:
        return None
    letters = unicodedata.normalize("NFKD", text).translate(SPELLED)
    return "".join(letter for letter in letters if letter.isascii()).lower().strip()


@backfill.transform("recipes")
def searchable_recipes(recipe: Recipe) -> SearchableRecipe:
    """A recipe without a name is found by the empty text."""
    return SearchableRecipe(
        name_normalized=normalized(recipe.name) or "", description_normalized=normalized(recipe.description)
    )


@backfill.transform("recipes_ingredients")
def searchable_ingredients(ingredient: Ingredient) -> SearchableIngredient:
    """The note, and the text that it was parsed from."""
    return SearchableIngredient(
        note_normalized=normalized(ingredient.note), original_text_normalized=normalized(ingredient.original_text)
    )


STEPS = (searchable_recipes, searchable_ingredients)
