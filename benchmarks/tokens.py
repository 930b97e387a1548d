"""Our tokenizer as transformers has it, for the libraries that are compared with."""

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from xstilts.model.pieces import Pieces


def hub_tokenizer(pieces: Pieces, longest: int) -> PreTrainedTokenizerFast:
    """The same pieces, with XLM-R's or mT5's special ones around a text, cut to `longest`."""
    copied = Tokenizer.from_str(pieces.tokenizer.to_str())
    special = {"<s>": pieces.start, "</s>": pieces.end}
    there = [(piece, number) for piece, number in special.items() if number is not None]
    around = "<s> $A </s>" if pieces.start is not None else "$A </s>"
    copied.post_processor = TemplateProcessing(single=around, special_tokens=there)
    return PreTrainedTokenizerFast(
        tokenizer_object=copied,
        model_max_length=longest,
        bos_token="<s>" if pieces.start is not None else None,
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )
