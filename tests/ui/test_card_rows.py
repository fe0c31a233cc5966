"""A model card comes from strangers: only its words are shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from snug.ui.card_rows import MOST_ROWS, card_rows

CARD = """---
license: mit
---
# Pip

A **tiny** model <img src="/dev/zero">. See [the page](https://example.org).

![a picture](file:///etc/passwd)

- short answers
- plain facts

```python
print("hello")
```

| type | size |
|------|------|
| Q8_0 | 7.5 MB |
"""


def test_a_card_becomes_its_words_only():
    rows = card_rows(CARD)
    assert rows[0] == {"kind": "heading", "text": "Pip"}
    assert rows[1]["text"].startswith("A tiny model")
    assert {"kind": "code", "text": 'print("hello")'} in rows
    assert rows[-1]["text"] == "type · size\nQ8_0 · 7.5 MB"
    everything = "\n".join(row["text"] for row in rows)
    assert "license: mit" not in everything
    assert not any(mark in everything for mark in ("<img", "/dev/zero", "/etc/passwd", "**"))


@given(st.text(max_size=2000))
def test_any_text_is_a_bounded_list_of_plain_rows(text: str):
    rows = card_rows(text * 3)
    assert len(rows) <= MOST_ROWS
    assert all(isinstance(row["text"], str) and row["kind"] in ("heading", "prose", "code") for row in rows)
