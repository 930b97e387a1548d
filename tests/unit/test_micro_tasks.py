"""micro-XTREME's tasks: files that the parsers read, labels that hold, nothing that a constant solves."""

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from micro_files import SMALL, lines, questions, sentences

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.data.leakage import EvaluationKeys, evaluation_keys
from xstilts.data.preparation import prepare_task
from xstilts.data.sources import FolderSource
from xstilts.micro import mentions, panx
from xstilts.micro.cldr import UNITS, clean, covered_languages, data_of, names, write_atom
from xstilts.micro.generate import DATASETS, files_of
from xstilts.micro.paraphrases import draw
from xstilts.micro.phrases import WIDE, Sampler, write
from xstilts.micro.sizes import size_of
from xstilts.registry import TaskType, datasets, evaluation_tasks, training_tasks
from xstilts.scoring.baselines import constant_baseline

TRAIN, DEV, EVALUATED = SMALL.train_examples, SMALL.dev_examples, SMALL.evaluation_examples
ENGLISH = (
    *("anli", "ccg", "cosmosqa", "csqa", "hellaswag", "mewslix_pairs", "mnli", "qqp", "siqa", "snli"),
    *("squad1", "squad2"),
)
COUNTS = {
    **{(dataset, "train"): TRAIN for dataset in (*ENGLISH, "panx", "pawsx", "udpos", "xcopa")},
    **{(dataset, "dev"): DEV for dataset in ENGLISH},
    **{
        (dataset, "dev"): EVALUATED
        for dataset in ("mewslix", "mlqa", "panx", "pawsx", "tydiqa", "udpos", "xcopa", "xnli")
    },
    **{
        (dataset, "test"): EVALUATED
        for dataset in (
            "mewslix",
            "mlqa",
            "mlqa_r",
            "panx",
            "pawsx",
            "udpos",
            "xcopa",
            "xnli",
            "xquad",
            "xquad_r",
        )
    },
    ("ccg", "test"): DEV,
    ("tydiqa", "train"): SMALL.tydiqa_train_examples,
    ("tatoeba", "test"): SMALL.retrieval_phrases,
    # the English sentences that have no translation follow those of the language
    ("bucc2018", "dev"): SMALL.retrieval_phrases * 3 // 2,
    ("bucc2018", "test"): SMALL.retrieval_phrases * 3 // 2,
}
ITEM = r", and |, or |, | and | or "


@pytest.fixture(scope="module")
def source(root: Path) -> FolderSource:
    return FolderSource(root, generated=True)


def test_the_real_parsers_find_exactly_as_many_examples(source: FolderSource) -> None:
    splits = {
        (dataset, split): languages
        for dataset in DATASETS
        for split, languages in files_of(dataset, SMALL).items()
        if dataset not in ("pairs", "text")
    }
    assert set(splits) == {*COUNTS, ("squad1_mt", "train")}
    for (dataset, split), languages in splits.items():
        assert source.languages(dataset, split) == sorted(languages)
        for language in languages if dataset != "squad1_mt" else ():
            found = source.read(dataset, split, language)
            assert len(found) == COUNTS[dataset, split], (dataset, split, language)


def test_how_much_there_is_to_train_on_is_known_beforehand() -> None:
    splits = {split for task in training_tasks().values() if not task.is_text for split in task.splits}
    known = [(split.dataset, split.split) for split in splits if (split.dataset, split.split) in COUNTS]
    assert len(known) > 20
    for dataset, split in known:
        assert size_of(dataset, split, SMALL) == COUNTS[dataset, split], (dataset, split)


def test_published_languages_are_all_there() -> None:
    """Of each task, every language that XTREME and XTREME-R score and that CLDR covers."""
    for name, task in evaluation_tasks().items():
        for held in task.held_out if task.data.dataset in DATASETS else []:
            files, known = files_of(held.dataset, SMALL), task.languages
            named = covered_languages() if known.others is None else known.known
            for language in set(named) & set(covered_languages()) - {"en"}:
                assert language in files[held.of(language)], (name, language)


def test_nothing_is_lost_to_the_leakage_filter(source: FolderSource) -> None:
    keys = EvaluationKeys(evaluation_keys(source))
    for dataset in DATASETS:
        for split, languages in files_of(dataset, SMALL).items():
            for language in languages if split not in datasets()[dataset].evaluation else ():
                if dataset == "text":
                    found = [keys.of_text(line) for line in source.lines(dataset, split, language)]
                elif dataset == "pairs":
                    found = [keys.of_pair(pair) for pair in source.read(dataset, split, language)]  # type: ignore[arg-type]
                else:
                    found = [keys.of_example(example) for example in source.read(dataset, split, language)]
                assert not any(found), (dataset, split, language)


@pytest.mark.parametrize(
    ("dataset", "task_type", "dev", "most"),
    [
        *((dataset, "classification", "dev", 0.34) for dataset in ("anli", "snli")),
        *((dataset, "classification", "dev", 0.5) for dataset in ("pawsx", "qqp")),
        *((dataset, "multiple_choice", "dev", 0.5) for dataset in ("siqa",)),
        *((dataset, "multiple_choice", "dev", 0.4) for dataset in ("cosmosqa", "hellaswag")),
        ("xcopa", "multiple_choice", "test", 0.65),
        ("squad2", "span", "dev", 0.5),
        ("panx", "tagging", "dev", 0.75),
    ],
)
def test_no_constant_solves_a_task(
    source: FolderSource, dataset: str, task_type: TaskType, dev: str, most: float
) -> None:
    train = source.read(dataset, "train", "en")
    for language in files_of(dataset, SMALL)[dev]:
        held_out = source.read(dataset, dev, language)
        found = {example.label for example in train if isinstance(example, PairExample)}
        labels = sorted(label for label in found if label is not None)
        if task_type == "tagging":
            labels = sorted({tag for example in train for tag in getattr(example, "tags", ())})
        baseline = constant_baseline(task_type, train, held_out, labels)
        assert baseline["value"] <= most, (language, baseline)


def test_paraphrases_have_the_same_subject_and_items(root: Path) -> None:
    """Label against what English says, read back from the text."""
    rows = [line.split("\t") for _, (content,) in lines(root, "pawsx", "train") for line in content]
    assert rows[0] == ["id", "sentence1", "sentence2", "label"]
    pairs = [(first, second, label) for _, first, second, label in rows[1:]]
    dev = [line.split("\t") for line in dict(lines(root, "pawsx", "dev"))["en"][0]]
    questions_ = [line.split("\t") for _, (content,) in lines(root, "qqp", "train") for line in content[1:]]
    pairs += [(first, second, label) for first, second, label in dev]
    pairs += [(first.rstrip("?"), second.rstrip("?"), label) for *_, first, second, label in questions_]
    exchanged = 0
    for first, second, label in pairs:
        (subject, said), (other, again) = (text.split(": ") for text in (first, second))
        items, others = re.split(ITEM, said), re.split(ITEM, again)
        assert items != others and len(items) == len(others)
        assert (subject == other and sorted(items) == sorted(others)) == (label == "1"), (first, second)
        exchanged += label == "0" and sorted([subject, *items]) == sorted([other, *others])
    assert Counter(label for *_, label in pairs) == dict.fromkeys("01", len(pairs) // 2)
    assert exchanged > len(pairs) / 10  # the same words alone do not make a paraphrase


def test_paraphrases_are_parallel(root: Path) -> None:
    labels = {code: [row.split("\t")[2] for row in rows] for code, (rows,) in lines(root, "pawsx", "dev")}
    assert set(labels) == {"de", "en", "es", "fr", "ja", "ko", "zh"}
    assert len({tuple(column) for column in labels.values()}) == 1


@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(["de", "ja", "sw", "zh"]))
@example_settings(max_examples=60)
def test_a_paraphrase_differs_in_order_alone_in_every_language(seed: int, same: bool, language: str) -> None:
    pair = draw(Sampler(Random(seed), ("en", language)), "train", same=same)
    texts = write(pair.first, language), write(pair.second, language)
    assert texts[0] != texts[1]
    assert not same or sorted(pair.first.atoms()) == sorted(pair.second.atoms())
    assert len(texts[0]) == len(texts[1]) or not same or language not in WIDE


def following(shown: list[str]) -> str:
    """What follows three items, found from the English text alone."""
    for kind, first in (("weekday", 0), ("month", 1)):
        cycle = [names("en")[f"{kind}:{i + first}"] for i in range(7 if kind == "weekday" else 12)]
        if shown[0] in cycle:
            step = cycle.index(shown[1]) - cycle.index(shown[0])
            return cycle[(cycle.index(shown[2]) + step) % len(cycle)]
    if shown[0] == shown[2]:
        return shown[1]
    numbers = [int(re.findall(r"\d+", item)[0]) for item in shown]
    return re.sub(r"\d+", str(2 * numbers[2] - numbers[1]), shown[2])


def preceding(shown: list[str]) -> str:
    return following(shown[::-1])


@pytest.mark.parametrize("dataset", ["hellaswag", "siqa", "xcopa"])
def test_the_right_choice_goes_on_as_the_sequence_does(source: FolderSource, dataset: str) -> None:
    rights = Counter[int]()
    for example in source.read(dataset, "train", "en"):
        assert isinstance(example, ChoiceExample) and example.label is not None
        assert len(set(example.choices)) == len(example.choices)
        shown = re.split(ITEM, example.context.split(": ")[1])
        expected = (preceding if "cause" in example.question else following)(shown)
        fitting = [i for i, choice in enumerate(example.choices) if choice == expected]
        assert fitting == [example.label], example
        rights[example.label] += 1
    size = len(example.choices)
    assert set(rights) == set(range(size))
    assert max(rights.values()) < 1.25 * rights.total() / size


def test_choices_are_parallel_and_balanced(source: FolderSource) -> None:
    assert len(files_of("xcopa", SMALL)["test"]) == 10  # all but Haitian
    premises = {}
    for split in ("dev", "test"):
        labels = {}
        for language in files_of("xcopa", SMALL)[split]:
            examples = source.read("xcopa", split, language)
            labels[language] = [(e.question, e.label) for e in examples if isinstance(e, ChoiceExample)]
            premises[language, split] = {e.context for e in examples if isinstance(e, ChoiceExample)}
        assert len({tuple(column) for column in labels.values()}) == 1
        counts = Counter(next(iter(labels.values())))
        assert len(counts) == 4 and max(counts.values()) - min(counts.values()) <= 1
    for (language, split), texts in premises.items():
        assert len(texts) == EVALUATED
        assert split == "test" or texts.isdisjoint(premises.get((language, "test"), set()))


def facts_of(context: str) -> dict[str, list[str]]:
    """What an English paragraph tells of each subject."""
    told = (
        statement.split(": ") for statement in re.split(r"(?<!\bSt)(?<!U\.S)\. |\.$", context) if statement
    )
    return {subject: re.split(ITEM, said) for subject, said in told}


def test_an_answer_is_told_of_the_place_and_the_others_are_not(source: FolderSource) -> None:
    rights, from_elsewhere = Counter[int](), 0
    for example in source.read("cosmosqa", "train", "en"):
        assert isinstance(example, ChoiceExample) and example.label is not None
        told = facts_of(example.context)
        here = told.pop(example.question.split(": ")[0])
        ((_, elsewhere),) = told.items()
        assert [i for i, choice in enumerate(example.choices) if choice in here] == [example.label], example
        from_elsewhere += bool(set(example.choices) & set(elsewhere))
        rights[example.label] += 1
    assert from_elsewhere > 0.9 * TRAIN
    assert max(rights.values()) < 1.25 * TRAIN / 4


def test_inference_holds_in_a_context_of_two(source: FolderSource) -> None:
    labels = Counter[str]()
    for dataset in ("anli", "snli"):
        for example in source.read(dataset, "train", "en"):
            assert isinstance(example, PairExample) and example.second
            subject, said = example.second.split(": ")
            told = facts_of(example.first + "." * (dataset == "snli"))
            assert len(told) == (2 if dataset == "anli" else 1)
            expected = "neutral"
            if subject not in told:
                expected = "contradiction"
            elif set(re.split(ITEM, said)) <= set(told[subject]):
                expected = "entailment"
            assert example.label == expected, example
            labels[expected] += 1
    assert len(set(labels.values())) == 1 and len(labels) == 3


def test_half_of_the_questions_have_no_answer(root: Path) -> None:
    """What is impossible is told of another place or not at all; a plausible answer stands at its offset."""
    units = {name: atom for atom, name in names("en").items() if atom.startswith("unit:")}
    impossible, in_context = 0, 0
    for _, context, question in questions(root, "squad2", "train"):
        place, asked = question["question"].rstrip("?").split(": ")
        for answer in (*question["answers"], *question.get("plausible_answers", ())):
            assert context[answer["answer_start"] :].startswith(answer["text"])
        here = facts_of(context).get(place, [])
        is_told = any(asked in units and unit_of(item) == units[asked] for item in here)
        is_told |= bool(here) and asked in ("Unknown language", "Unknown Currency")
        assert is_told != question["is_impossible"] == (not question["answers"]), question
        impossible += question["is_impossible"]
        in_context += question["is_impossible"] and bool(here)
    assert impossible == TRAIN // 2
    assert in_context > 0.05 * impossible


def unit_of(item: str) -> str:
    """The unit of an English amount; nothing of any other item."""
    number = re.match(r"\d+ ", item)
    forms = {write_atom(f"quantity:{unit}:12", "en")[3:]: f"unit:{unit}" for unit in UNITS}
    return forms.get(item[number.end() :], "") if number else ""


def test_parallel_questions(root: Path) -> None:
    for dataset, split in (("mlqa", "dev"), ("xquad", "test"), ("xquad_r", "test"), ("mlqa_r", "test")):
        ids: dict[str, list[str]] = {}
        for language, _, question in questions(root, dataset, split):
            ids.setdefault(language, []).append(question["id"])
        assert len({tuple(column) for column in ids.values()}) == 1
        assert len(set(ids["en"])) == EVALUATED


@pytest.mark.parametrize(
    ("spans", "split", "retrieval"), [("mlqa", "dev", "mlqa_r"), ("xquad", "test", "xquad_r")]
)
def test_retrieval_has_the_questions_of_the_spans(root: Path, spans: str, split: str, retrieval: str) -> None:
    """As XQuAD-R and MLQA-R have, whose ids are XQuAD's and MLQA's."""
    own = list(questions(root, spans, split))
    shared = {language for language, *_ in questions(root, retrieval, "test")}
    assert [each for each in own if each[0] in shared] == list(questions(root, retrieval, "test"))


def test_a_task_spends_every_data_set_that_shares_its_paragraphs(source: FolderSource) -> None:
    keys = EvaluationKeys(evaluation_keys(source))
    for name, task in training_tasks().items():
        if not task.spends:
            continue
        found = {
            dataset
            for split in task.train
            for language in task.languages
            for example in source.read(split.dataset, split.split, language)
            for dataset in keys.of_example(example)
        }
        assert found == set(task.spends), name


@pytest.mark.parametrize("dataset", ["xquad_r", "mlqa_r"])
def test_one_sentence_of_each_language_answers_a_question(root: Path, dataset: str) -> None:
    for language, (content,) in lines(root, dataset, "test"):
        answering: dict[str, list[str]] = {}
        sentences_: list[str] = []
        for paragraph in json.loads(content[0])["data"][0]["paragraphs"]:
            context, breaks = paragraph["context"], paragraph["sentence_breaks"]
            assert [context[start:end] for start, end in breaks] == paragraph["sentences"]
            assert "".join(paragraph["sentences"]).replace(" ", "") == context.replace(" ", "")
            sentences_ += paragraph["sentences"]
            for question in paragraph["qas"]:
                (answer,) = question["answers"]
                start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
                (gold,) = [context[b:e] for b, e in breaks if b <= start and end <= e]
                answering.setdefault(question["question"], []).append(gold)
        subjects = [re.split("[:：]", sentence)[0] for sentence in sentences_]
        assert len(set(subjects)) == len(sentences_) == EVALUATED
        assert all(len(gold) == 1 for gold in answering.values()) and len(answering) == EVALUATED
        for question, (gold,) in answering.items():
            assert gold.startswith(re.split("[:：]", question)[0]), language


def test_translated_questions_are_those_of_squad(source: FolderSource) -> None:
    """As many of them as a language has names for; what asks and what answers is of one meaning."""
    english = {e.id: e for e in source.read("squad1", "train", "en") if isinstance(e, SpanExample)}
    for language in files_of("squad1_mt", SMALL)["train"]:
        found = [e for e in source.read("squad1_mt", "train", language) if isinstance(e, SpanExample)]
        assert TRAIN / 4 < len(found) + source.dropped("squad1_mt", "train", language) <= TRAIN
        for example in found:
            own = english[example.id]
            assert re.findall(r"\d+", example.answers[0]) == re.findall(r"\d+", own.answers[0])
            assert sorted(re.findall(r"\d+", example.context)) == sorted(re.findall(r"\d+", own.context))


def test_mentions_are_names_of_the_entities_they_are_of(source: FolderSource) -> None:
    """An entity is described under its name in one language, mostly not that of the mention."""
    languages = files_of("mewslix", SMALL)["test"]
    pool = {entity.id: entity for entity in source.candidates("mewslix", dict.fromkeys(languages, "test"))}
    atoms = {name: atom for atom, name in mentions.entities().items()}
    assert set(pool) == set(atoms) and len({entity.language for entity in pool.values()}) == len(languages)
    for language in languages:
        for query in source.read("mewslix", "test", language):
            assert isinstance(query, QueryExample)
            (gold,) = query.candidates
            name, described = names(language)[atoms[gold]], pool[gold]
            assert query.query.startswith(f"{name}: {{ {name} }}") and name in query.origin[0]
            assert query.origin[0] in query.origin[1]
            assert described.text.startswith(names(described.language)[atoms[gold]])


def test_supertags_depend_on_the_next_word(source: FolderSource) -> None:
    found: dict[str, set[str]] = {}
    for example in source.read("ccg", "train", "en"):
        assert isinstance(example, TaggedExample) and example.tags
        for word, tag in zip(example.words, example.tags, strict=True):
            found.setdefault(word, set()).add(tag)
    assert any({"N", "N/N"} <= tags for tags in found.values())
    assert len({tag for tags in found.values() for tag in tags}) > 8


def test_comparable_corpora_have_gold_pairs_and_near_misses(root: Path) -> None:
    assert set(files_of("bucc2018", SMALL)["dev"]) == {"de", "fr", "ru", "zh"}
    for language, columns in lines(root, "bucc2018", "dev"):
        texts, english = (dict(line.split("\t") for line in column) for column in columns[:2])
        gold = [tuple(line.split("\t")) for line in columns[2]]
        assert len(texts) == len(english) == SMALL.retrieval_phrases == 2 * len(gold)
        assert list(texts) == [f"{language}-{i:09d}" for i in range(1, len(texts) + 1)]
        assert list(english) == [f"en-{i:09d}" for i in range(1, len(english) + 1)]
        for side, column in enumerate((texts, english)):
            assert len(set(column.values())) == len(column)
            assert len({pair[side] for pair in gold}) == len(gold)
            assert not re.search(r"\d", "".join(column.values()))
        dated = [atom for atom in names("en") if atom.startswith(("weekday:", "month:"))]
        named = [
            (texts[key], names(language)[atom])
            for key, other in gold
            for atom in dated
            if re.search(rf"\b{names('en')[atom]}\b", english[other])
        ]
        assert named and all(name in text for text, name in named)


def test_entities_are_whole_names_and_nothing_else(root: Path) -> None:
    for split in ("train", "dev"):
        for language, (content,) in lines(root, "panx", split):
            gap = "" if language in WIDE else " "
            places = {name for atom, name in names(language).items() if atom.startswith("territory:")}
            organisations = {clean(data_of(language)["territories"][code]) for code in ("EU", "UN")}
            known = {"LOC": {spaced(name, language) for name in places}}
            known["ORG"] = {spaced(name, language) for name in organisations}
            kinds = Counter[str]()
            for sentence in sentences(content):
                found = entities(sentence)
                assert found, (language, sentence)
                for kind, words in found:
                    named = re.split(r"[(（]", re.sub(r"[)）]$", "", gap.join(words)))
                    assert {name.strip() for name in named} <= known[kind], (language, kind, words)
                    assert len(named) <= (2 if kind == "LOC" else 1)
                    kinds[kind] += 1
                outside = {word for word, tag in sentence if tag == "O"}
                assert language in WIDE or outside.isdisjoint(known["ORG"])
            assert set(kinds) == {"LOC", "ORG"} and kinds["LOC"] > 2 * kinds["ORG"]


def spaced(name: str, language: str) -> str:
    """A name as its words, or characters, with single spaces."""
    return name.replace(" ", "") if language in WIDE else " ".join(panx.TOKEN.findall(name))


def entities(sentence: list[list[str]]) -> list[tuple[str, list[str]]]:
    """Types and words of the entities; an entity begins with B- and goes on with I- of its type."""
    found: list[tuple[str, list[str]]] = []
    before = "O"
    for word, tag in sentence:
        prefix, _, kind = tag.partition("-")
        assert prefix in ("B", "I", "O")
        if prefix == "B":
            found.append((kind, [word]))
        elif prefix == "I":
            assert before in (f"B-{kind}", f"I-{kind}")
            found[-1][1].append(word)
        before = tag
    return found


def test_a_place_in_brackets_belongs_to_a_place_alone(root: Path) -> None:
    joined, apart = 0, 0
    for _, (content,) in lines(root, "panx", "dev"):
        for sentence in sentences(content):
            for (_, before), (bracket, tag), (_, after) in zip(
                sentence, sentence[1:], sentence[2:], strict=False
            ):
                if bracket in ("(", "（"):
                    assert after == ("I-LOC" if before.endswith("LOC") else "B-LOC")
                    assert (tag == "I-LOC") == before.endswith("LOC")
                    joined, apart = joined + (tag != "O"), apart + (tag == "O")
    assert min(joined, apart) > 0.2 * (joined + apart)


def test_no_word_names_a_place_here_and_nothing_there(root: Path) -> None:
    """In English: a place of one word is a place wherever it stands (no label noise)."""
    (_, (content,)) = next(lines(root, "panx", "train"))
    tokens = [token for sentence in sentences(content) for token in sentence]
    single = {words[0] for s in sentences(content) for _, words in entities(s) if len(words) == 1}
    assert single and not single & {word for word, tag in tokens if tag == "O"}


@given(st.integers(0, 10**6), st.sampled_from(covered_languages()))
@example_settings(max_examples=150)
def test_the_words_of_a_phrase_make_its_text(seed: int, language: str) -> None:
    phrase = panx.Sentences(Sampler(Random(seed), (language,)), training=False).draw("test")
    text = re.sub("[\ue000-\ue003]", "", write(phrase, language, panx.name_of))
    words = [word for word, _ in panx.tagged(phrase, language)]
    assert "".join(words) == text.replace(" ", "").replace("\u00a0", "")


@pytest.mark.parametrize("name", ["udpos", "panx"])
def test_what_is_held_out_of_tagged_sentences_shares_no_names_with_the_rest(
    source: FolderSource, name: str
) -> None:
    prepared = prepare_task(source, name, training_tasks()[name], EvaluationKeys(evaluation_keys(source)))

    def content(example: Example) -> frozenset[str]:
        assert isinstance(example, TaggedExample) and example.tags is not None
        pairs = zip(example.words, example.tags, strict=True)
        tagged = {word for word, tag in pairs if tag in ("PROPN", "NOUN", "NUM")}
        return frozenset(tagged or {word for word in example.words if word[0].isalnum()} - {"and", "or"})

    selected, trained = ({content(example) for example in part} for part in (prepared.dev, prepared.train))
    assert len(prepared.dev) > 10
    assert selected.isdisjoint(trained)
