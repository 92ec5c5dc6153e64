"""Law: what holds of every sound transform, and what is said of one that breaks it. One file a law in `proofs/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backfill.errors import BackfillError
from backfill.testing.stage import Stage


@dataclass(frozen=True)
class Law:
    """One sentence, and how it is proved of a transform."""

    name: str
    sentence: str
    advice: str
    """What the author of a transform that breaks it should look at."""
    prove: Callable[[Stage], str | None]
    """Tries it; gives what was seen where it does not hold."""
    exempts: Callable[[Stage], str | None] = lambda _: None
    """Why it says nothing of this transform or of these rows; None where it does."""
    presumed: Law | None = None
    """What it takes for granted: if that does not hold, a breach of this one says nothing."""

    def require(self, stage: Stage) -> str | None:
        """Prove it of the transform on the stage; gives why it says nothing of this one, None where it does.

        Raises:
            LawBroken: it does not hold.
            BackfillError: the transform cannot even be run undisturbed.
        """
        stage.undisturbed  # noqa: B018  # what goes wrong here is no breach of a law
        if reason := self.exempts(stage):
            return reason
        try:
            breach = self.prove(stage)
        except BackfillError as error:
            breach = f"the run stopped: {error}"
        if breach and self.presumed is not None:
            self.presumed.require(stage)
        if breach:
            raise LawBroken(self, stage.transform.name, breach)
        return None


class LawBroken(AssertionError):
    """A transform breaks a law. Row values are shown: they are those that the test gave."""

    def __init__(self, law: Law, transform: str, breach: str) -> None:
        self.law = law
        self.transform = transform
        self.breach = breach
        super().__init__(f"{transform} breaks a law ({law.name}): {law.sentence}\nSeen: {breach}.\n{law.advice}.")
