"""micro-XTREME: the same bytes each time, well-formed files, and no phrase on both sides of a split."""

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from micro_files import SMALL, lines, questions, sentences

from xstilts.errors import ConfigError, RegistryError
from xstilts.micro.cldr import candidate_languages, covered_languages, names, shortcoming
from xstilts.micro.generate import DATASETS, files_of, generate
from xstilts.micro.partition import normalise
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import lines_for
from xstilts.registry import evaluation_tasks, training_tasks

ROOT = Path(__file__).parents[2]
PARALLEL = ("mlqa", "xquad", "xquad_r", "mlqa_r")  # the same questions, and ids, in every language


def texts(root: Path) -> Iterator[tuple[str, str, str]]:
    """Every phrase of every data set: language, side of the split, text."""
    for language, (content,) in lines(root, "text", "train"):
        yield from ((language, "text", line) for line in content)
    for language, (content,) in lines(root, "pairs", "train"):
        for line in content:
            phrase, english = line.split("\t")
            yield from ((language, "pairs", phrase), ("en", "pairs", english))
    for language, sides in lines(root, "tatoeba", "test"):
        for code, column in zip((language, "en"), sides, strict=True):
            yield from ((code, "test", line) for line in column)
    for split in ("train", "dev"):
        for _, (content,) in lines(root, "mnli", split):
            for row in map(json.loads, content):
                yield from (("en", split, str(row[key])) for key in ("premise", "hypothesis"))
        for _, (content,) in lines(root, "csqa", split):
            yield from (("en", split, json.loads(row)["question"]["stem"]) for row in content)
    for language, (content,) in lines(root, "xnli", "dev"):
        yield from ((language, "test", text) for line in content for text in line.split("\t")[:2])
    yield from texts_of_pairs_and_choices(root)
    for dataset, split, side in (
        ("squad1", "train", "train"),
        ("squad1", "dev", "dev"),
        ("tydiqa", "train", "train"),
        ("tydiqa", "dev", "test"),
        ("squad2", "train", "train"),
        ("squad2", "dev", "dev"),
        *(("mlqa", "dev", "test"), ("xquad", "test", "test")),
        *((dataset, "test", "test") for dataset in ("xquad_r", "mlqa_r")),
    ):
        for language, context, question in questions(root, dataset, split):
            yield from ((language, side, text) for text in (context, str(question["question"])))
    for dataset, split, side in (
        *(("udpos", "train", "train"), ("udpos", "dev", "test")),
        *(("panx", "train", "train"), ("panx", "dev", "test")),
    ):
        for language, (content,) in lines(root, dataset, split):
            yield from (
                (language, side, " ".join(word for word, _ in sentence)) for sentence in sentences(content)
            )


def texts_of_pairs_and_choices(root: Path) -> Iterator[tuple[str, str, str]]:
    """Paraphrases, contexts, and what is to be chosen in evaluation."""
    for language, (foreign, english, _) in lines(root, "bucc2018", "dev"):
        for code, column in ((language, foreign), ("en", english)):
            yield from ((code, "test", line.split("\t")[1]) for line in column)
    for split, side, first in (("train", "train", 1), ("dev", "test", 0)):
        for language, (content,) in lines(root, "pawsx", split):
            rows = (line.split("\t")[first:] for line in content[first:])
            yield from ((language, side, text) for row in rows for text in row[:2])
    for split, side, keys in (
        ("train", "train", ["premise"]),
        ("dev", "test", ["premise", "choice1", "choice2"]),
        ("test", "test", ["premise", "choice1", "choice2"]),
    ):
        for language, (content,) in lines(root, "xcopa", split):
            yield from ((language, side, json.loads(row)[key]) for row in content for key in keys)
    for split in ("train", "dev"):
        for dataset, keys in (
            ("snli", ["sentence1", "sentence2"]),
            ("anli", ["context", "hypothesis"]),
            ("hellaswag", ["ctx"]),
            ("siqa", ["context"]),
        ):
            for _, columns in lines(root, dataset, split):
                rows = [json.loads(line) for content in columns for line in content if line.startswith("{")]
                yield from (("en", split, row[key]) for row in rows for key in keys)
        for _, (content,) in lines(root, "cosmosqa", split):
            yield from (
                ("en", split, row[key]) for row in csv.DictReader(content) for key in ("context", "question")
            )
        for _, (content,) in lines(root, "qqp", split):
            yield from (("en", split, text) for line in content[1:] for text in line.split("\t")[3:5])


def test_train_dev_and_test_share_no_phrase(root: Path) -> None:
    side_of: dict[tuple[str, str], str] = {}
    for language, side, text in texts(root):
        assert side_of.setdefault((language, normalise(text)), side) == side, (language, text)
    assert set(side_of.values()) == {"text", "pairs", "train", "dev", "test"}


def test_no_trace_of_placeholders_or_codes(root: Path) -> None:
    for language, _, text in texts(root):
        assert text.strip() == text and text, (language, text)
        assert not re.search(r"[{}¤\t]|\b(duration|length|mass|area|volume)-\w|None", text), (language, text)


def test_same_settings_same_bytes_whatever_the_hash_seed_and_the_order(root: Path, tmp_path: Path) -> None:
    """Each data set in a process of its own, against all of them in one process."""
    settings = SMALL.model_dump_json()
    for dataset, hash_seed in (("tatoeba", "1"), ("udpos", "2"), ("text", "3")):
        command = [sys.executable, "scripts/generate_micro.py", "--dataset", dataset, "--settings", settings]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([*command, "--output", str(tmp_path)], check=True, cwd=ROOT, env=environment)
        for languages in files_of(dataset, SMALL).values():
            for path in (path for paths in languages.values() for path in paths):
                assert (tmp_path / path).read_bytes() == (root / path).read_bytes(), path


def test_other_seed_other_phrases(root: Path, tmp_path: Path) -> None:
    generate("mnli", SMALL.model_copy(update={"seed": 2}), tmp_path)
    assert (tmp_path / "mnli/train.jsonl").read_bytes() != (root / "mnli/train.jsonl").read_bytes()


def test_other_sizes_leave_other_data_sets_alone(root: Path, tmp_path: Path) -> None:
    changed = SMALL.model_copy(update={"text_lines": 700, "train_examples": 50, "languages": ("de", "sw")})
    generate("tatoeba", changed, tmp_path)
    for paths in files_of("tatoeba", changed)["test"].values():
        for path in paths:
            assert (tmp_path / path).read_bytes() == (root / path).read_bytes()


def test_exactly_the_announced_files(root: Path) -> None:
    announced = {
        path
        for dataset in DATASETS
        for languages in files_of(dataset, SMALL).values()
        for paths in languages.values()
        for path in paths
    }
    written = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert written == announced


def test_covers_xtreme() -> None:
    assert len(covered_languages()) == 48
    assert {code for code in candidate_languages() if shortcoming(code)} == {"ht", "wo"}
    # Babel resolves aliases in data that locales share; German has no stand-alone months of its own
    assert names("az")["month:1"] == "yanvar" and names("de")["month:1"] == "Januar"
    assert names("ru")["month:3"] == "март" and names("tl")["weekday:0"] == "Lunes"


def test_lines_are_in_proportion_to_corpus_sizes(root: Path) -> None:
    counts = {language: len(content) for language, (content,) in lines(root, "text", "train")}
    assert counts["en"] == SMALL.text_lines
    assert counts["yo"] == SMALL.fewest_lines  # unseen in CC-100
    assert counts["de"] == round(SMALL.text_lines * (66.6 / 300.8) ** SMALL.size_exponent)
    for language, count in counts.items():
        assert count == lines_for(language, SMALL.text_lines, SMALL)
    pairs = {language: len(content) for language, (content,) in lines(root, "pairs", "train")}
    assert pairs == {
        language: lines_for(language, SMALL.pair_lines, SMALL) for language in counts if language != "en"
    }


def test_lines_are_distinct(root: Path) -> None:
    for dataset in ("text", "pairs"):
        for language, (content,) in lines(root, dataset, "train"):
            assert len(set(content)) == len(content), (dataset, language)


def test_retrieval_is_aligned_distinct_and_free_of_digits(root: Path) -> None:
    names_found = {path for paths in files_of("tatoeba", SMALL)["test"].values() for path in paths}
    assert {"tatoeba/tatoeba.cmn-eng.cmn", "tatoeba/tatoeba.swh-eng.eng", "tatoeba/tatoeba.pes-eng.pes"} <= (
        names_found
    )
    for language, (phrases, english) in lines(root, "tatoeba", "test"):
        assert len(phrases) == len(english) == SMALL.retrieval_phrases
        assert len(set(phrases)) == len(set(english)) == len(phrases), language
        assert not re.search(r"\d", "".join(phrases + english)), language


def test_translations_hold_the_same_items(root: Path) -> None:
    """Where the English side names a day or one of these places, the other side names it too."""
    atoms = [f"weekday:{i}" for i in range(7)] + [
        f"territory:{code}" for code in ("BR", "CU", "EG", "JP", "KE")
    ]
    for language in ("ar", "de", "sw", "zh"):
        (path,) = files_of("pairs", SMALL)["train"][language]
        pairs = [row.split("\t") for row in (root / path).read_text(encoding="utf-8").splitlines()]
        first, second = (
            (root / path).read_text(encoding="utf-8").splitlines()
            for path in files_of("tatoeba", SMALL)["test"][language]
        )
        named = [
            (names(language)[atom], phrase)
            for phrase, english in [*pairs, *zip(first, second, strict=True)]
            for atom in atoms
            if re.search(rf"\b{names('en')[atom]}\b", english)
        ]
        assert named
        assert all(name in phrase for name, phrase in named)


def test_inference_labels_hold(root: Path) -> None:
    """Label against what English says, read back from the text."""
    rows = [json.loads(row) for _, (content,) in lines(root, "mnli", "train") for row in content]
    assert Counter(row["label"] for row in rows) == dict.fromkeys(training_tasks()["mnli"].labels, 100)
    for row in rows:
        (subject, said), (other, again) = (row[key].split(": ") for key in ("premise", "hypothesis"))
        items, parts = (set(re.split(r", and |, | and ", text)) for text in (said, again))
        if row["label"] == "contradiction":
            assert other != subject
        else:
            assert other == subject
            assert (parts <= items) == (row["label"] == "entailment"), row


def test_xnli_is_parallel(root: Path) -> None:
    labels = {}
    for language, (content,) in lines(root, "xnli", "dev"):
        rows = [line.split("\t") for line in content]
        assert all(len(row) == 3 for row in rows)
        labels[language] = [row[2] for row in rows]
    assert len(labels) == len(covered_languages())
    assert len({tuple(column) for column in labels.values()}) == 1
    assert set(labels["en"]) == set(evaluation_tasks()["xnli"].labels)


@pytest.mark.parametrize(
    ("dataset", "split", "count"),
    [
        *(("squad1", "train", 300), ("squad1", "dev", 60), ("tydiqa", "train", 40), ("tydiqa", "dev", 30)),
        *(("mlqa", "dev", 30), ("xquad", "test", 30), ("xquad_r", "test", 30), ("mlqa_r", "test", 30)),
    ],
)
def test_answers_stand_at_their_offsets_once(root: Path, dataset: str, split: str, count: int) -> None:
    ids, per_language = set(), Counter[str]()
    for language, context, question in questions(root, dataset, split):
        (answer,) = question["answers"]
        start, text = answer["answer_start"], answer["text"]
        assert context[start : start + len(text)] == text
        assert context.count(text) == 1
        ids.add(question["id"] if dataset not in PARALLEL else f"{question['id']}/{language}")
        per_language[language] += 1
    assert set(per_language.values()) == {count}
    assert len(ids) == sum(per_language.values())


def test_multiple_choice_has_one_right_answer(root: Path) -> None:
    keys = Counter[str]()
    for _, (content,) in lines(root, "csqa", "train"):
        for row in map(json.loads, content):
            choices = {choice["label"]: choice["text"] for choice in row["question"]["choices"]}
            assert list(choices) == ["A", "B", "C"] and len(set(choices.values())) == 3
            keys[row["answerKey"]] += 1
    assert max(keys.values()) < 0.45 * sum(keys.values())


def test_tags_are_known_and_not_given_by_the_word(root: Path) -> None:
    tags = set(evaluation_tasks()["udpos"].labels)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    ((_, (content,)),) = lines(root, "udpos", "train")
    for word, tag in (token for sentence in sentences(content) for token in sentence):
        counts[word][tag] += 1
    most = sum(counts.values(), Counter[str]()).most_common(1)[0][0]
    for language, (dev,) in lines(root, "udpos", "dev"):
        tokens = [token for sentence in sentences(dev) for token in sentence]
        assert {tag for _, tag in tokens} <= tags
        assert {"PROPN", "NOUN", "NUM", "X", "SYM", "PUNCT"} <= {tag for _, tag in tokens}, language
        right = sum(
            (counts[word].most_common(1)[0][0] if word in counts else most) == tag for word, tag in tokens
        )
        assert right / len(tokens) < 0.85, language


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="does not cover the language 'wo'"):
        files_of("text", MicroSettings(languages=("de", "wo")))
    with pytest.raises(ConfigError, match="not in XTREME"):
        files_of("text", MicroSettings(languages=("tlh",)))
    with pytest.raises(RegistryError, match="no data set 'imdb'"):
        files_of("imdb", SMALL)


def test_english_is_always_there() -> None:
    assert set(files_of("text", MicroSettings(languages=("ka",)))["train"]) == {"en", "ka"}
    assert set(files_of("tatoeba", MicroSettings(languages=("ka",)))["test"]) == {"ka"}
