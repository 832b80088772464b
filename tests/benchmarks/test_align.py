"""The benchmark of the aligner: earlier results are kept where it cannot measure again."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from benchmarks.align import main


def test_without_interviews_the_sample_show_is_measured_and_the_file_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "align.json"
    kept.write_text("{}")
    given = ["--interviews", tmp_path / "none", "--only", "best fuzzy", "--change", "as given", "--json", kept]
    result = CliRunner().invoke(main, [str(one) for one in given])
    assert result.exit_code == 0, result.output
    assert "| as given | sample |" in result.output
    assert f"{kept} is left as it is" in result.output
    assert kept.read_text() == "{}"
