"""What a Whisper engine is, and the choice of one. How each works is its own module's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Segment
from pipeline.speech.names import EngineName


class Engine(Protocol):
    """Turns sound into segments. Made cheaply: weights are loaded when the first recording comes.

    One engine is used from one thread.
    """

    @property
    def name(self) -> EngineName:
        """Which engine this is."""
        ...

    @property
    def model(self) -> str:
        """The model, as it was asked for."""
        ...

    @property
    def options(self) -> Mapping[str, object]:
        """Everything else that could change the words or their times, as plain JSON.

        It goes into a transcript's key and record, and is found without loading a model.

        Raises:
            WeightsError: The model is a path at which there are no weights.
        """
        ...

    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        prompt: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> tuple[Segment, ...]:
        """Write down what is said in a recording.

        Args:
            audio: One channel at 16 kHz, -1 to 1; any length.
            language: A language tag such as ``en`` or ``en-GB``.
            prompt: Names and words to expect, put before the recording's first window. Not before every window:
                that raised the word error rate of tiny.en on the sample show from 2 % to 11 %.
            progress: Told the seconds of the recording that are done, never less than before.

        Returns:
            Segments in order, with words in order and without overlap; none where nobody speaks.

        Raises:
            WeightsError: The weights could not be had or loaded.
            UnknownModelError: The model does not know the language.
            SpeechError: The engine failed on this recording.
        """
        ...


def make_engine(name: EngineName, model: str, *, cache: Path) -> Engine:
    """Make the engine of this name; call ``check_model`` before, which says what is wrong in words.

    Args:
        name: ``faster-whisper`` or ``openai-whisper``.
        model: A model's name, or the path of its weights.
        cache: The folder for weights that have to be joined or converted.
    """
    # The engines are imported when one is wanted: whisper alone costs two seconds.
    if name == "faster-whisper":
        from pipeline.speech.faster import FasterWhisper  # noqa: PLC0415 - see above

        return FasterWhisper(model, cache=cache)
    from pipeline.speech.reference import OpenAIWhisper  # noqa: PLC0415 - see above

    return OpenAIWhisper(model, cache=cache)
