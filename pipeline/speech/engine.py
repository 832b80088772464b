"""The interface of Whisper engines to the rest of the program, and creating one by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.progress import Progress
from pipeline.speech.decoder import Decoder
from pipeline.speech.hearing import Hearing, HearVoices, WindowedEngine
from pipeline.speech.journal import Journal
from pipeline.speech.windows import Samples
from pipeline.whisper_models import EngineName


class Engine(Protocol):
    """Transcribes sound to segments. Cheap to create: weights are loaded for the first recording.

    An engine is used from one thread.
    """

    @property
    def name(self) -> EngineName:
        """The name of the engine."""
        ...

    @property
    def model(self) -> str:
        """The name of the model, as requested."""
        ...

    @property
    def options(self) -> Mapping[str, object]:
        """Everything else that could change the words or their times, as plain JSON.

        It is part of a transcript's key and record, and is determined without loading a model.

        Raises:
            WeightsError: The model is a path without weights.
        """
        ...

    def transcribe(
        self,
        blocks: Iterable[Samples],
        *,
        language: str,
        terms: Sequence[str] = (),
        progress: Progress | None = None,
        journal: Journal | None = None,
        voices: HearVoices | None = None,
    ) -> Hearing:
        """Transcribe a recording.

        Args:
            blocks: Its samples in order (mono at 16 kHz, -1 to 1), in blocks of any size; they are consumed lazily, so
                that memory does not grow with the recording.
            language: A language tag such as ``en`` or ``en-GB``. A multilingual model transcribes windows that are
                clearly in another language in that language, which is reported.
            terms: Names and words to try where something similar was heard.
            progress: Called with the seconds of the recording that are done, which never decrease.
            journal: Stores finished windows, and finds them again.
            voices: Embeds the voices in a window; called once for each, from several threads.

        Returns:
            The transcript, and the report of the quality gate.

        Raises:
            WeightsError: The weights could not be obtained or loaded.
            UnknownModelError: The model does not know the language.
            SpeechError: The engine failed on this recording.
        """
        ...


def make_engine(name: EngineName, model: str, *, cache: Path) -> Engine:
    """Create the engine of this name; call ``check_model`` before, which explains what is wrong with a model's name.

    Args:
        name: ``faster-whisper`` or ``openai-whisper``.
        model: A model's name, or the path of its weights.
        cache: The folder for weights that have to be joined from parts or converted.
    """
    return WindowedEngine(_decoder(name, model, cache))


def _decoder(name: EngineName, model: str, cache: Path) -> Decoder:
    # The decoders are imported on demand: whisper alone takes two seconds.
    if name == "faster-whisper":
        from pipeline.speech.faster import FasterWhisper  # noqa: PLC0415 - see above

        return FasterWhisper(model, cache=cache)
    from pipeline.speech.reference import OpenAIWhisper  # noqa: PLC0415 - see above

    return OpenAIWhisper(model, cache=cache)
