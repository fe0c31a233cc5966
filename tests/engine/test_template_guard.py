"""Hostile chat templates: refused in words, in time, in memory."""

from __future__ import annotations

import pytest

from snug.engine.template_guard import TEMPLATE_LIMIT_BYTES, TemplateRefused, compile_template, guarded, render

MESSAGES = {"messages": [{"role": "user", "content": "hi"}]}

HOSTILE = {
    "syntax": "{% for %}",
    "undefined": "{{ nothing.at.all }}",
    "endless": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "giant text": "{{ 'a' * 1000000000 }}",
    "giant text by doubling": "{% set ns = namespace(x='a') %}{% for i in range(60) %}"
    "{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "giant list": "{{ [0] * 1000000000 }}",
    "giant number": "{{ 10 ** 10 ** 10 }}",
    "giant format": "{{ '%1000000000d' % 1 }}",
    "giant output": "{% for i in range(99999) %}" + "x" * 100 + "{% endfor %}",
    "giant indent": "{{ messages | tojson(indent=1000000000) }}",
    "endless recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "escape by class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "escape by globals": "{{ raise_exception.__globals__['os'].system('true') }}",
    "escape by format": "{{ '{0.__class__.__mro__}'.format(messages) }}{{ messages.__class__.x }}",
    "change of its input": "{{ messages.append(1) }}",
    "its own refusal": "{{ raise_exception('System role not supported') }}",
    "import": "{% import 'os' as os %}",
    "include": "{% include '/etc/passwd' %}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_refused(name: str) -> None:
    with pytest.raises(TemplateRefused):
        render(compile_template(HOSTILE[name]), MESSAGES)


def test_a_template_above_the_limit_is_not_even_compiled() -> None:
    with pytest.raises(TemplateRefused, match="256 KiB"):
        compile_template("x" * (TEMPLATE_LIMIT_BYTES + 1))


def test_the_deadline_stops_code_that_never_returns() -> None:
    def forever() -> None:
        while True:
            pass

    with pytest.raises(TemplateRefused, match="longer"):
        guarded(forever, deadline_s=0.1)


def test_what_hugging_face_templates_use_works() -> None:
    source = (
        "{%- for m in messages if m.role == 'user' -%}{% generation %}{{ m | tojson }}{% endgeneration %}"
        "{%- if loop.last %}{% break %}{% endif %}{%- endfor -%} {{ strftime_now('%Y') | length }}"
    )
    assert render(compile_template(source), MESSAGES) == '{"role": "user", "content": "hi"}4'


def test_tojson_keeps_other_alphabets_readable() -> None:
    assert render(compile_template("{{ 'é模' | tojson }}"), {}) == '"é模"'
