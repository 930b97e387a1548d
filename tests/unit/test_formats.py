"""Every published format on small files: what it yields, and one clear message for a malformed row."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.data.examples import ChoiceExample, Example, PairExample, ParallelExample, TaggedExample
from xstilts.data.formats import mnli_translated, nli_jsonl, pawsx, qqp, sick, squad_translated, tagged, text
from xstilts.data.labels import is_labelled
from xstilts.errors import DataError


def parse(format_: str, folder: Path, *contents: str) -> list[Any]:
    paths = [folder / f"file{index}" for index in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content.encode())
    module = importlib.import_module(f"xstilts.data.formats.{format_}")
    return list(module.parse(paths, dataset="set", split="dev", language="de"))


def squad(answer: str, start: int, ids: tuple[str, ...] = ("q1", "q2")) -> str:
    questions = [
        {"id": id_, "question": "Wer?", "answers": [{"text": answer, "answer_start": start}]} for id_ in ids
    ]
    return json.dumps({"data": [{"paragraphs": [{"context": "Anna 𝔘lm ging.", "qas": questions}]}]})


def csqa(answer: str) -> str:
    choices = [{"label": "A", "text": "Haus"}, {"label": "B", "text": "Hof"}]
    return json.dumps({"id": "x1", "answerKey": answer, "question": {"stem": "Wo?", "choices": choices}})


XCOPA = '{"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 1, "idx": 7}'
NLI = '{"premise": "p", "hypothesis": "h", "label": "neutral"}'

ANLI = '{"uid": "u1", "context": "p", "hypothesis": "h", "label": "c", "reason": "r"}'
QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
SICK = "pair_ID\tsentence_A\tsentence_B\tentailment_label\tscore\tSemEval_set\r\n"
HELLASWAG = '{"ind": 24, "ctx": "c", "endings": ["a", "b", "c", "d"], "label": 3}'
SAMPLE = '{"dev": [{"id": 7, "question": "c", "choices": {"A": "a", "B": "b"}, "answer": "B"}], "test": []}'
COSMOS = "id,context,question,answer0,answer1,answer2,answer3,label\n"
SIQA = '{"context": "c", "question": "q", "answerA": "a", "answerB": "b", "answerC": "c"}'
OPTIONS = '{"context": "c", "question": "q", "options": ["a", "b", "b"], "answer": "b"}'
CCG_NAME = "ID=wsj_0001.2 PARSER=GOLD NUMPARSE=1"
CCG_TREE = (
    "(<T S[dcl] 0 2> (<T NP 0 1> (<L N NNP NNP Vinken N_73>) ) "
    "(<L (S[dcl]\\NP)/NP VBZ VBZ is (S[dcl]\\NP_87)/NP_88>) )"
)

GOOD: list[tuple[str, list[str], list[Example]]] = [
    (
        "anli",
        [ANLI, ANLI.replace("u1", "u2").replace('"c",', '"e",')],
        [
            PairExample("u1", "de", "p", "h", "contradiction"),
            PairExample("u2", "de", "p", "h", "entailment"),
        ],
    ),
    (
        "qqp",
        [QQP + '7\t1\t2\tWarum "ja?\tWieso?\t1\n8\t3\t4\tWo\n ist das?\tWo?\t0\n'],
        [PairExample("set-dev-de-7", "de", 'Warum "ja?', "Wieso?", "1")],
    ),
    (
        "mrpc",
        ["\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t10\t12\ta\tb\n0\t10\t13\ta\tc\n"],
        [
            PairExample("set-dev-de-10-12", "de", "a", "b", "1"),
            PairExample("set-dev-de-10-13", "de", "a", "c", "0"),
        ],
    ),
    ("mrpc", ["1\t10\t12\ta\tb\n"], [PairExample("set-dev-de-10-12", "de", "a", "b", "1")]),
    ("hellaswag", [HELLASWAG], [ChoiceExample("set-dev-de-0", "de", "c", "", ("a", "b", "c", "d"), 3)]),
    ("hellaswag_sample", [SAMPLE], [ChoiceExample("set-dev-de-0", "de", "c", "", ("a", "b"), 1)]),
    (
        "cosmosqa",
        [COSMOS + '3##q1,"Ja, ""nein""\n und",Wo ?,a,b,"c, d",e,2\n'],
        [ChoiceExample("3##q1", "de", 'Ja, "nein"\n und', "Wo ?", ("a", "b", "c, d", "e"), 2)],
    ),
    ("siqa", [SIQA, "2\n"], [ChoiceExample("set-dev-de-0", "de", "c", "q", ("a", "b", "c"), 1)]),
    ("options", [OPTIONS], [ChoiceExample("set-dev-de-0", "de", "c", "q", ("a", "b", "b"), 1)]),
    (
        "ccgbank",
        [f"{CCG_NAME}\n{CCG_TREE}\n", f"{CCG_NAME.replace('.2', '.3')}\n{CCG_TREE}\n"],
        [TaggedExample(f"wsj_0001.{n}", "de", ("Vinken", "is"), ("N", "(S[dcl]\\NP)/NP")) for n in (2, 3)],
    ),
    ("pairs", ["eins\tone\n"], [ParallelExample("set-dev-de-0", "de", "eins", "one")]),
    (
        "tatoeba",
        ["eins\r\nzwei\x1c drei\u2028", "one\ntwo\n"],
        [
            ParallelExample("set-dev-de-0", "de", "eins", "one"),
            ParallelExample("set-dev-de-1", "de", "zwei\x1c drei\u2028", "two"),
        ],
    ),
    ("xnli", ["p\th\tneutral\n"], [PairExample("set-dev-de-0", "de", "p", "h", "neutral")]),
    (
        "pawsx",
        ["a\tb\t1\nNS\tb\t0\nc\t\t1\nd\te\t0\n"],
        [PairExample("set-dev-de-0", "de", "a", "b", "1"), PairExample("set-dev-de-3", "de", "d", "e", "0")],
    ),
    (
        "pawsx",
        ["id\tsentence1\tsentence2\tlabel\r\n12\ta\tb\t1\r\n"],
        [PairExample("set-dev-de-12", "de", "a", "b", "1")],
    ),
    ("xcopa", [XCOPA + "\n"], [ChoiceExample("set-dev-de-7", "de", "p", "cause", ("a", "b"), 1)]),
    ("csqa", [csqa("B")], [ChoiceExample("x1", "de", "", "Wo?", ("Haus", "Hof"), 1)]),
    ("csqa", [csqa("")], [ChoiceExample("x1", "de", "", "Wo?", ("Haus", "Hof"), None)]),
    ("nli_jsonl", [NLI], [PairExample("set-dev-de-0", "de", "p", "h", "neutral")]),
    (
        "nli_jsonl",
        ['{"sentence1": "p", "sentence2": "h", "gold_label": "neutral", "pairID": "7n"}'],
        [PairExample("7n", "de", "p", "h", "neutral")],
    ),
    (
        "tagged",
        ["Ein\tDET\nHaus\tNOUN\n\nNein\tINTJ\n"],
        [
            TaggedExample("set-dev-de-0", "de", ("Ein", "Haus"), ("DET", "NOUN")),
            TaggedExample("set-dev-de-1", "de", ("Nein",), ("INTJ",)),
        ],
    ),
    (
        "bucc",
        ["d1\teins\nd2\tzwei\n", "e1\tthree\ne2\tone\n", "d1\te2\n"],
        [
            ParallelExample("d1:e2", "de", "eins", "one"),
            ParallelExample("d2", "de", "zwei", ""),
            ParallelExample("e1", "de", "", "three"),
        ],
    ),
]


@pytest.mark.parametrize(("format_", "contents", "expected"), GOOD)
def test_a_file_yields_its_examples(
    format_: str, contents: list[str], expected: list[Example], tmp_path: Path
) -> None:
    assert parse(format_, tmp_path, *contents) == expected


MALFORMED = [
    ("anli", [ANLI.replace('"c",', '"x",')], "line 1", "'x' is none of e, n, c"),
    ("anli", [ANLI, ANLI.replace("uid", "id")], "file1, line 1", "'uid' is missing"),
    ("qqp", ["7\t1\t2\ta\tb\t1\n"], "line 1", "expected the header"),
    ("qqp", [QQP + "7\t1\t2\ta\tb\t2\n"], "line 2", "'2' is neither 0 nor 1"),
    ("qqp", [QQP + "7\t1\t2\ta\tb\tc\t1\n"], "line 2", "found 7"),
    ("mrpc", ["2\t10\t12\ta\tb\n"], "line 1", "'2' is neither 0 nor 1"),
    ("mrpc", ["1\t10\t12\ta\n"], "line 1", "expected 5 fields"),
    ("sick", ["pair_ID\tsentence_A\n"], "line 1", "'sentence_B' is missing"),
    ("sick", [SICK + "1\ta\tb\tMAYBE\t4.5\tTRAIN\n"], "line 2", "'MAYBE' is no label"),
    ("sick", [SICK + "1\ta\tb\tNEUTRAL\tTRAIN\n"], "line 2", "expected 6 fields"),
    ("hellaswag", [HELLASWAG.replace("3}", "4}")], "line 1", "4 is none of the 4 endings"),
    ("hellaswag", [HELLASWAG.replace("ctx", "context")], "line 1", "'ctx' is missing"),
    ("hellaswag_sample", [SAMPLE.replace('"B"}', '"C"}')], "dev 0", "'C' is none of the choices"),
    ("hellaswag_sample", ["[]"], "the top", "a list 'dev'"),
    ("cosmosqa", [COSMOS + "1,c,q,a,b,c,d,4\n"], "line 2", "'4' is none of 0 to 3"),
    ("cosmosqa", [COSMOS + "1,c,q,a,b,c,d\n"], "line 2", "expected 8 values"),
    ("cosmosqa", ["id,context\n"], "line 1", "expected the columns"),
    ("cosmosqa", [COSMOS + '1,"c,q\n'], "line 2", "not comma-separated"),
    ("siqa", [SIQA, "0\n"], "file1, line 1", "'0' is none of 1, 2, 3"),
    ("siqa", [f"{SIQA}\n{SIQA}\n", "1\n"], "file1, line 2", "ends before its other part"),
    ("options", [OPTIONS.replace('"b"}', '"z"}')], "line 1", "'z' is none of the options"),
    ("ccgbank", [CCG_TREE], "line 1", "after the line that names it"),
    ("ccgbank", [f"{CCG_NAME}\n{CCG_TREE.replace(' is ', ' ')}\n"], "line 2", "expected a derivation"),
    ("squad_translated", ['{"data": [{"paragraphs": [{}]}]}'], "paragraph 0", "'qas' is missing"),
    ("pairs", ["eins\tone\nzwei\n"], "line 2", "expected 2 fields"),
    ("pairs", ["eins\t \n"], "line 1", "one side of the pair is empty"),
    ("tatoeba", ["eins\nzwei\n", "one\n"], "file1, line 2", "ends before its other side"),
    ("tatoeba", ["eins\n\n", "one\ntwo\n"], "file0, line 2", "empty sentence"),
    ("xnli", ["p\th\tneutral\np\th\n"], "line 2", "expected 3 fields"),
    ("xnli", ["p\th\tmaybe\n"], "line 1", "'maybe' is none of"),
    ("pawsx", ["a\tb\t2\n"], "line 1", "'2' is neither 0 nor 1"),
    ("pawsx", ["a\tb\n"], "line 1", "two sentences and a label"),
    ("xcopa", [XCOPA + "\n{"], "line 2", "not JSON"),
    ("xcopa", [XCOPA.replace("premise", "promise")], "line 1", "'premise' is missing"),
    ("xcopa", [XCOPA.replace("1,", "2,")], "line 1", "label 0 or 1"),
    ("csqa", [csqa("C")], "line 1", "'C' is none of the choices"),
    ("csqa", ['{"id": "x1", "question": "Wo?"}'], "line 1", "not in CommonsenseQA's format"),
    ("nli_jsonl", [NLI.replace("hypothesis", "x")], "line 1", "'hypothesis' is missing"),
    ("nli_jsonl", ["[1]"], "line 1", "expected a JSON object"),
    ("tagged", ["Ein\tDET\nHaus\n"], "line 2", "a word and its tag"),
    ("bucc", ["d1\teins\n", "e1\tone\n", "d1\te2\n"], "file2, line 1", "unknown sentence"),
    (
        "squad",
        [squad("Ulm", 5)],
        "question q1",
        "the answer 'Ulm' is not at its offset 5, where '𝔘lm' stands",
    ),
    ("squad", ['{"data": [{"paragraphs": [{}]}]}'], "article 0, paragraph 0", "'qas' is missing"),
    ("squad", ["[]"], "the top", "not in SQuAD's format"),
    ("squad", [squad("𝔘lm", 5)[:-9]], "line 1", "not JSON"),
]


@pytest.mark.parametrize(("format_", "contents", "place", "message"), MALFORMED)
def test_a_malformed_row_is_named(
    format_: str, contents: list[str], place: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r".") as raised:
        parse(format_, tmp_path, *contents)
    assert message in raised.value.what
    assert raised.value.where.endswith(place)


def test_bytes_that_are_no_utf8_are_named(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"good\n\xff\xfe\n")
    with pytest.raises(DataError, match="not UTF-8"):
        list(text.lines([path]))


def test_rows_that_are_no_examples_are_counted(tmp_path: Path) -> None:
    paraphrases, inferences = tmp_path / "paraphrases", tmp_path / "inferences"
    paraphrases.write_text("a\tb\t1\nNS\tb\t0\nc\t\t1\n", encoding="utf-8")
    inferences.write_text(NLI + "\n" + NLI.replace("neutral", "-") + "\n", encoding="utf-8")
    questions = tmp_path / "questions"
    questions.write_text(QQP + "7\t1\t2\ta\tb\t1\n8\t1\t2\ta\n c\tb\t1\n", encoding="utf-8")
    assert qqp.dropped([questions]) == 2
    assert pawsx.dropped([paraphrases]) == 2
    assert nli_jsonl.dropped([inferences]) == 1
    assert len(list(nli_jsonl.parse([inferences], dataset="s", split="d", language="en"))) == 1


def test_offsets_of_answers_count_characters_and_repeated_ids_are_replaced(tmp_path: Path) -> None:
    examples = parse("squad", tmp_path, squad("𝔘lm", 5))
    assert [example.id for example in examples] == ["q1", "q2"]
    assert [example.context[5:8] for example in examples] == ["𝔘lm", "𝔘lm"]
    repeated = parse("squad", tmp_path, squad("𝔘lm", 5, ids=("0", "0")))
    assert [example.id for example in repeated] == ["set-dev-de-0", "set-dev-de-1"]


@pytest.mark.parametrize(("split", "keys"), [("train", ["1", "4"]), ("trial", ["2"]), ("test", ["3"])])
def test_one_file_of_sick_holds_every_split(split: str, keys: list[str], tmp_path: Path) -> None:
    rows = zip("1234", ["TRAIN", "TRIAL", "TEST", "TRAIN"], strict=True)
    content = SICK + "".join(f"{key}\ta\tb\tNEUTRAL\t4.5\t{part}\r\n" for key, part in rows)
    path = tmp_path / "SICK.txt"
    path.write_bytes(content.encode())
    found = list(sick.parse([path], dataset="sick", split=split, language="en"))
    assert found == [PairExample(f"sick-{split}-en-{key}", "en", "a", "b", "neutral") for key in keys]


def test_a_question_may_have_no_answer(tmp_path: Path) -> None:
    document = json.loads(squad("𝔘lm", 5, ids=("q1",)))
    document["data"][0]["paragraphs"][0]["qas"].append(
        {
            "id": "q2",
            "question": "Warum?",
            "is_impossible": True,
            "answers": [],
            "plausible_answers": [{"text": "Anna", "answer_start": 0}],
        }
    )
    examples = parse("squad", tmp_path, json.dumps(document))
    assert [example.answers for example in examples] == [("𝔘lm",), ()]
    assert all(is_labelled(example) for example in examples)


def test_a_translated_question_whose_answer_was_lost_is_left_out_and_counted(tmp_path: Path) -> None:
    document = json.loads(squad("𝔘lm", 5))
    first, second = document["data"][0]["paragraphs"][0]["qas"]
    first["answers"] += [{"text": "Anna", "answer_start": 1}, {"text": "ging", "answer_start": -1}]
    second["answers"] = [{"text": "Ulm", "answer_start": 5}, {"text": "", "answer_start": 0}]
    (example,) = parse("squad_translated", tmp_path, json.dumps(document))
    assert (example.id, example.answers, example.starts) == ("q1", ("𝔘lm",), (5,))
    assert squad_translated.dropped([tmp_path / "file0"]) == 1


def test_lines_of_text_are_stripped_and_empty_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("\ufeffeins \n\n zwei\x85drei\r\n".encode())
    assert list(text.lines([path])) == ["eins", "zwei\x85drei"]


field = st.text(st.characters(exclude_characters="\t\n\r\ufeff", exclude_categories=["Cs"]), min_size=1)
sentences = st.lists(st.lists(st.tuples(field, field), min_size=1, max_size=5), max_size=5)


@given(sentences)
def test_tagged_sentences_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[tuple[str, str]]]
) -> None:
    examples = [
        TaggedExample(f"set-dev-de-{index}", "de", *map(tuple, zip(*block, strict=True)))
        for index, block in enumerate(blocks)
    ]
    path = tmp_path_factory.mktemp("tagged") / "file"
    path.write_text(tagged.render(examples), encoding="utf-8", newline="\n")
    assert list(tagged.parse([path], dataset="set", split="dev", language="de")) == examples


def test_translated_pairs_have_xnlis_labels(tmp_path: Path) -> None:
    path = tmp_path / "multinli.train.de.tsv"
    path.write_text("premise\thypo\tlabel\na\tb\tcontradictory\nc\td\tneutral\n", encoding="utf-8")
    assert list(mnli_translated.parse([path], dataset="mnli_mt", split="train", language="de")) == [
        PairExample("mnli_mt-train-de-0", "de", "a", "b", "contradiction"),
        PairExample("mnli_mt-train-de-1", "de", "c", "d", "neutral"),
    ]
    path.write_text("premise\thypo\tlabel\na\tb\tcontradiction\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2"):
        list(mnli_translated.parse([path], dataset="mnli_mt", split="train", language="de"))
