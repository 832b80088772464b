"""What a Whisper engine is to the rest of the program, and the choice of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.speech.decoder import Decoder
from pipeline.speech.hearing import Hearing, WindowedEngine
from pipeline.speech.journal import Journal
from pipeline.speech.speakers.voices import Voices
from pipeline.speech.windows import Samples, Window
from pipeline.whisper_models import EngineName


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
        blocks: Iterable[Samples],
        *,
        language: str,
        terms: Sequence[str] = (),
        progress: Callable[[float], None] | None = None,
        journal: Journal | None = None,
        voices: Callable[[Window], Voices] | None = None,
    ) -> Hearing:
        """Write down what is said in a recording.

        Args:
            blocks: Its samples in order (one channel at 16 kHz, -1 to 1), in blocks of any size; they are taken as
                they are needed, so that memory does not grow with the recording.
            language: A language tag such as ``en`` or ``en-GB``. What is plainly in another language is written in
                that, and said so, where the model knows more than one.
            terms: Names and words to listen for where something like them was heard.
            progress: Told the seconds of the recording that are done, never less than before.
            journal: Where finished windows are kept and found again.
            voices: Hears the voices in a window; called once for each, from several threads.

        Returns:
            What was heard, and what was done about what could not be right.

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
    return WindowedEngine(_decoder(name, model, cache))


def _decoder(name: EngineName, model: str, cache: Path) -> Decoder:
    # The decoders are imported when one is wanted: whisper alone costs two seconds.
    if name == "faster-whisper":
        from pipeline.speech.faster import FasterWhisper  # noqa: PLC0415 - see above

        return FasterWhisper(model, cache=cache)
    from pipeline.speech.reference import OpenAIWhisper  # noqa: PLC0415 - see above

    return OpenAIWhisper(model, cache=cache)
