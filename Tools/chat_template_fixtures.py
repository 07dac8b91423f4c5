"""Writes Tests/ChatTemplatesTests/Fixtures: renderings by transformers, and of the language by Jinja.

Run by hand from the repository root: python3 Tools/chat_template_fixtures.py [MODELS]
Made with transformers 5.23.0 and Jinja 3.1.6; the files record the versions used.

`renderings.json` has each template of Fixtures/templates with each of the conversations here, as
`apply_chat_template` renders it; null where it refuses the conversation. The templates have the
structure of those that models are published with. `language.json` has snippets of the language with
what transformers' environment makes of them; null where that is an error. With a folder of GGUF files,
Tests/TokenizersTests/Fixtures/model-templates.json has the ids of the conversations without marks by
the templates of two published models.
"""

import datetime
import json
import pathlib
import sys

import jinja2
import tokenizers
import transformers
from transformers.utils import chat_template_utils

FIXTURES = pathlib.Path("Tests/ChatTemplatesTests/Fixtures")
TODAY = datetime.datetime(2025, 3, 9)
VERSIONS = {"transformers": transformers.__version__, "jinja2": jinja2.__version__}


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return TODAY


chat_template_utils.datetime = Clock

TOKENS = {
    "llama2": ("<s>", "</s>"), "mistral": ("<s>", "</s>"), "llama3": ("<|begin_of_text|>", "<|eot_id|>"),
    "gemma": ("<bos>", "<eos>"), "phi": ("<s>", "<|endoftext|>"), "qwen": (None, "<|im_end|>"),
    "smollm2": ("<|im_start|>", "<|im_end|>"), "smollm3": (None, "<|im_end|>"),
    "deepseek": ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    "command": ("<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"), "olmo": ("<|endoftext|>", "<|endoftext|>"),
}


def message(role, content):
    return {"role": role, "content": content}


def user(content):
    return message("user", content)


def assistant(content):
    return message("assistant", content)


def system(content):
    return message("system", content)


CONVERSATIONS = [
    ("one question", [user("What is 2 + 2?")], {}),
    ("with a system message", [system("Be brief."), user("What is 2 + 2?")], {}),
    ("two turns", [user("What is 2 + 2?"), assistant("4."), user("And 3 + 3?")], {}),
    ("five turns, closed",
     [system("Reason step by step, and put the answer within \\boxed{}."), user("1 + 1?"),
      assistant("One and one: \\boxed{2}"), user("2 + 2?"), assistant("\\boxed{4}")],
     {"add_generation_prompt": False}),
    ("Unicode",
     [system("Réponds en français. 请用中文回答。"),
      user("naïve e\u0301 é ﬁ ß İ Σίσυφος 👩‍👩‍👧 \u202eabc\u202c ١٢٣ 한국어\u00a0"),
      assistant("\u3000日本語\u2028Zeile\u0085\x1f"), user("\ufeffx\u200b")], {}),
    ("marks in the text",
     [system("Never say <|im_end|> or {{ bos_token }}."),
      user("<|im_end|>\n<|im_start|>system\n</s>[INST] {% if x %} <eos> <|eot_id|> [/INST] {# c #}"),
      assistant("<|end|> <end_of_turn> <think> {{ 7 * 7 }}"), user("<think>a</think>b</think>")], {}),
    ("white space",
     [system("\n  Two lines\r\n\tand a tab \n"), user("  \n a \n\n b \t\n"), assistant("\n\n c\n "),
      user("\t\n")], {}),
    ("thinking",
     [user("How many?"), assistant("<think>\nLet me see.\nThree.\n</think>\n\nThree."), user("Sure?"),
      assistant("<think>\n\n</think>\n\nYes."), user("Really?")], {"enable_thinking": True}),
    ("without thinking",
     [system("/no_think Answer."), user("How many?"), assistant("<think>\nHm.\n</think>\nThree."),
      user("Sure?")], {"enable_thinking": False}),
    ("quotes and backslashes",
     [system('"a" \'b\' \\n \\boxed{\\frac{1}{2}} \\'), user('{"k": "v\\u00e9", "l": [1, 2]}\x07\x7f'),
      assistant("it's \"fine\""), user("")], {}),
    ("two questions at once", [user("One?"), user("Two?"), assistant("Both.")],
     {"add_generation_prompt": False}),
    ("nothing but a system message", [system("Speak first.")], {}),
]

CONTEXT = {
    "text": "  Hello, World!\nIt's \"é\" 1 < 2  ", "word": "straße", "empty": "", "numbers": [3, 1, 2, 1],
    "words": ["pear", "Apple", "fig", "apple"], "map": {"b": 1, "a": None, "items": 7, "C": "x"},
    "people": [{"name": "Bo", "age": 5, "tags": ["x", "y"]}, {"name": "al", "age": 7}],
    "yes": True, "no": False, "nothing": None, "pi": 3.14159, "seven": 7,
}

# A snippet a line; ¶ and § stand for line ends in it.
LANGUAGE = r"""
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** 3 ** 2 }}
{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1 / 3 }} {{ 1e16 }} {{ 1e15 }} {{ 0.0001 }} {{ 0.00001 }} {{ 123456789.125 }} {{ 1.5e-7 }} {{ 1e22 }} {{ -0.0 }}
{{ 1 == 1.0 }} {{ true == 1 }} {{ "1" == 1 }} {{ [1, 2] == [1, 2] }} {{ (1, 2) == [1, 2] }} {{ {"a": 1} == {"a": 1.0} }}
{{ 1 < 2 < 3 }} {{ 1 < 2 > 5 }} {{ "a" < "b" }} {{ [1, 2] < [1, 3] }} {{ not 1 == 2 }} {{ not not yes }}
{{ "a" in "abc" }} {{ 5 not in numbers }} {{ "a" in map }} {{ "zz" in missing }} {{ nothing in [none] }}
{{ yes and "x" }} {{ no or "y" }} {{ no and missing.x }} {{ "" or 0 or [] }} {{ "a" if yes }} {{ "a" if no }}|{{ "a" if no else "b" if no else "c" }}
{{ "a" ~ 1 ~ none ~ true ~ missing ~ 1.0 ~ [1, "x"] }} {{ "a" "b" 'c' }} {{ "a" * 3 }} {{ [1] * 2 }} {{ [1] + [2] }} {{ (1,) + (2, 3) }}
{{ numbers }} {{ (1, "a") }} {{ (1,) }} {{ () }} {{ [] }} {{ {} }} {{ {"a": {"b": [none]}} }} {{ {1: 2, none: 3} }}
{{ ["it's", 'q"', 'both\'"', "\n\t\\", "é\u200b\x07\U0001F600\u00a0"] }} {{ "\x41\101\q\u00e9" }}
{{ text[2:7] }} {{ text[-4:] }} {{ text[::-1] }} {{ text[:-30] }} {{ numbers[1:] }} {{ numbers[::2] }} {{ numbers[-1] }} {{ numbers[10:] }} {{ numbers[::-2] }} {{ numbers[3:0:-1] }}
{{ numbers.0 }} {{ numbers[9] is defined }} {{ people.0.name }} {{ people[0]["tags"][-1] }} {{ map.b }} {{ map["items"] }} {{ map.items() | list }} {{ map.missing is defined }}
{{ missing }}|{{ missing is defined }} {{ missing is none }} {{ missing | default("d") }} {{ "" | default("d") }} {{ "" | default("d", true) }} {{ nothing | d("x") }} {{ missing == missing }} {{ missing != 1 }}
{{ missing.x }}
{{ missing + 1 }}
{{ missing["x"] }}
{{ missing() }}
{{ nothing.x is defined }} {{ nothing["x"] is defined }} {{ 5["x"] is defined }}
{{ nothing + 1 }}
{{ 1 + "1" }}
{{ 1 < "1" }}
{{ 1 / 0 }}
{{ text | trim }}|{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ "xxaxx".strip("x") }}|{{ "abcba" | trim("ab") }}
{{ text | upper }} {{ word.upper() }} {{ text | lower }} {{ text | title }} {{ text.title() }} {{ word | capitalize }} {{ "ΑΣ ΑΣΑ" | lower }} {{ "ǆa" | capitalize }} {{ "it's a-b (c)" | title }} {{ "it's a-b" .title() }}
{{ text | length }} {{ numbers | count }} {{ map | length }} {{ missing | length }} {{ "👩‍👧" | length }}
{{ nothing | length }}
{{ numbers | first }} {{ numbers | last }} {{ "" | first is defined }} {{ numbers | sort }} {{ words | sort }} {{ words | sort(reverse=true, case_sensitive=true) }} {{ people | sort(attribute="age", reverse=true) | map(attribute="name") | list }}
{{ numbers | join(", ") }} {{ people | join("|", attribute="name") }} {{ "abc" | join("-") }} {{ [1, none, "x"] | join }}
{{ numbers | reverse | list }} {{ "abc" | reverse }} {{ numbers | unique | list }} {{ words | unique | list }} {{ numbers | sum }} {{ people | sum(attribute="age") }} {{ numbers | min }} {{ words | max }}
{{ people | map(attribute="tags", default=[]) | list }} {{ words | map("upper") | join(" ") }} {{ words | map("replace", "p", "b") | list }}
{{ numbers | select("greaterthan", 1) | list }} {{ numbers | reject("odd") | list }} {{ people | selectattr("tags") | map(attribute="name") | list }} {{ people | selectattr("age", "gt", 5) | list | length }} {{ people | rejectattr("tags", "defined") | map(attribute="name") | list }} {{ [0, 1, "", "x"] | select | list }}
{{ "yes" if people | selectattr("age", "equalto", 99) else "no" }} {{ "yes" if people | selectattr("age", "equalto", 99) | list else "no" }}
{% set g = numbers | map("string") %}{{ g | join }}{{ g | join }}
{{ people | tojson }} {{ map | tojson(indent=2) }} {{ "é<>&'\u2028\x7f\x01" | tojson }} {{ "é😀" | tojson(ensure_ascii=true) }} {{ {"b": 1, "a": [] } | tojson(sort_keys=true, separators=(",", ":")) }} {{ [] | tojson(indent=1) }} {{ [[1], {}] | tojson(indent=1) }} {{ {1: 2, none: 3, true: 4} | tojson }} {{ (1, 2.0) | tojson }}
{{ missing | tojson }}
{{ "a.b.c".split(".") }} {{ "a.b.c".split(".", 1) }} {{ "a.b.c".rsplit(".", 1) }} {{ " a  b ".split() }} {{ " a  b c ".split(none, 1) }} {{ "a.b".split("x") }} {{ "".split(",") }} {{ "".split() }} {{ "a\nb\r\nc\n".splitlines() }}
{{ "abc".startswith("ab") }} {{ "abc".endswith(("x", "c")) }} {{ "aXbX".replace("X", "-", 1) }} {{ "ab".replace("", ".") }} {{ "abab".find("b") }} {{ "abab".rfind("b") }} {{ "abab".count("ab") }} {{ "abc".find("z") }} {{ "-".join(["a", "b"]) }} {{ "a=b=c".partition("=") }} {{ "a=b=c".rpartition("=") }} {{ "abc".removeprefix("a") }} {{ "abc".removesuffix("x") }}
{{ "12".isdigit() }} {{ "a1".isalnum() }} {{ "é".isalpha() }} {{ " ".isspace() }} {{ "AB".isupper() }} {{ "a1".islower() }} {{ "1".islower() }}
{{ map.get("b") }} {{ map.get("z") }} {{ map.get("z", 0) }} {{ map.keys() | list }} {{ map.values() | list }} {{ map | items | list }} {{ map | dictsort }} {{ map | dictsort(true) }} {{ missing | items | list }}
{{ numbers.append(4) }}
{{ map.update({}) }}
{{ numbers.index(2) }} {{ numbers.count(1) }}
{{ "42" | int }} {{ "4x" | int }} {{ "4.7" | int }} {{ 4.7 | int }} {{ "x" | int(default=5) }} {{ "3.5" | float }} {{ 3 | float }} {{ -3 | abs }} {{ 2.5 | round }} {{ 2.4 | round(method="ceil") }} {{ 7 | string ~ "x" }} {{ true | int }}
{{ "a\nb\n\nc" | indent }}|{{ "a\nb" | indent(2, true) }}|{{ "a\n\nb" | indent("> ", blank=true) }}
{{ text is string }} {{ numbers is iterable }} {{ numbers is sequence }} {{ map is mapping }} {{ map is sequence }} {{ yes is boolean }} {{ yes is true }} {{ no is false }} {{ 1 is true }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is float }} {{ pi is number }} {{ nothing is none }} {{ nothing is not none }} {{ missing is undefined }} {{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 1 is eq 1 }} {{ 1 is in [1] }} {{ "ab" is lower }} {{ range is callable }} {{ missing is iterable }} {{ missing is mapping }}
{{ 1 is sameas 1 }} {{ true is sameas true }} {{ none is sameas none }} {{ 1 is sameas true }}
{% for x in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle("a", "b") }}{{ loop.changed(x) }}{{ loop.depth }} {% endfor %}
{% for x in numbers if x > 1 %}{{ loop.index }}{{ x }} {% else %}none{% endfor %}{% for x in [] %}{% else %}none{% endfor %}{% for x in missing %}x{% endfor %}{% for k, v in map.items() %}{{ k }}={{ v }} {% endfor %}{% for k in map %}{{ k }}{% endfor %}{% for c in "añb" %}{{ c }}.{% endfor %}
{% for x in 5 %}{% endfor %}
{% for a, b in [[1, 2], (3, 4)] %}{{ a + b }} {% endfor %}{% for a, b in [[1]] %}{% endfor %}
{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %} {{ range(2, 8, 3) | list }} {{ range(5, 0, -2) | list }}
{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}{% if yes %}{% set x = 9 %}{% endif %}{{ x }}
{% set ns = namespace(a=1) %}{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% set ns.b = i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}{{ ns["a"] }}
{% set map.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = a, b %}{{ c }}{% set d %}x{{ a }}{% set a = 5 %}{% endset %}{{ d }}{{ a }}{% set e | upper | replace("X", "y") %}x{% endset %}{{ e }}
{% macro m(a, b="B", c=a) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, 2, 3) }}{{ m(b=5) }}{{ m(a=1, c=none) }}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(z=1) }}
{% set y = 1 %}{% macro f(n) %}{{ n }}{{ y }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{% set y = 2 %}{{ f(2) | length }}{{ f(2) }}
{% filter upper %}a{{ text | trim }}{% endfilter %}{% filter replace("a", "b") | upper %}a{% endfilter %}{% with p = 1, q = 2 %}{{ p + q }}{% endwith %}{{ p }}
{% raw %}{{ x }} {% if %} {# #}{% endraw %} {# comment {{ x }} #}|{#- c -#}  | {%- raw -%}  {{ r }}  {%- endraw %}
  {% if yes %}  a  {% endif %}  ¶  {%- if yes %}  b  {%- endif %}¶¶  {% if yes -%}¶¶ c {%+ if yes %} d {% endif +%}¶ e {% endif %}¶{{ 1 }}¶¶{{- 2 -}}¶¶ 3
a¶  {# c #}¶b¶  {% set x = 1 %}¶  {{ x }}¶c   {% set y = 2 %}   d¶¶¶
line§¶{% if yes %}§¶x§{% endif %}§¶y
{% generation %}x{{ 1 }}{% endgeneration %}{% generation -%} y {%- endgeneration %}
{{ raise_exception("no") }}
{{ strftime_now("%d %b %Y %B %A %a %y %m %j %H:%M:%S %p %%") }}
{{ dict(a=1, b=2) }} {{ dict({"a": 1}, b=2).a }} {{ [1, 2, 3,] }} {{ {"a": 1,} }} {{ (1) }} {{ ((1, 2)) }}
{{ -1 | abs }} {{ +1 }} {{ 1 - -1 }} {{ "a" ~ 1 ~ 2 }} {{ not yes or yes }} {{ 1_000 }} {{ 1 if yes else 2 + 3 }} {{ (1 if no else 2) + 3 }}
{{ [1, [2, [3]]] | tojson }} {{ "%s" }} {{ "}}" }} {{ '{%' }} {{ {"a": {"b": 1}}["a"]["b"] }} {{ {"a":1}|length }}
{% if missing %}a{% elif numbers %}b{% else %}c{% endif %}{% if not missing and (yes or no) %}d{% endif %}{% if "" %}{% elif no %}{% else %}e{% endif %}
{{ "a" is string and "b" is not none or no }} {{ 1 is eq(1) }} {{ numbers | length > 2 and numbers[0] == 3 }} {{ 5 if missing is not defined else 6 }} {{ "x" not in "abc" and not "y" in "abc" }}
{{ words[0][0] | upper ~ words[0][1:] }} {{ (numbers | length) - 1 }} {{ numbers[numbers | length - 1] }} {{ text.strip().split("\n")[0].replace(",", "") | lower }}
{{ loop is defined }} {{ bos_token is defined }} {{ range(3) | map("string") | join("") }} {{ {"x": 1}.x }} {{ "abc"[1] }} {{ "abc"[7] is defined }} {{ [].0 is defined }}
{% set n = namespace(l=[]) %}{% for x in numbers %}{% set n.l = n.l + [x * 2] %}{% endfor %}{{ n.l }} {{ namespace({"q": 4}).q }} {{ namespace(x=1) == namespace(x=1) }}
{% for p in people %}{% for t in p.tags %}{{ loop.depth }}{{ t }}{% else %}-{% endfor %}{{ loop.index }}{% endfor %}
{% unknown %}
{{ 1 | unknown }}
{{ 1 is unknown }}
{{ 1 + }}
{{ (1 }}
{% if yes %}
{% endif %}
{{ "abc }}
{% for x in [1] %}
{% set 1 = 2 %}
{{ a b }}
""".strip("\n").split("\n")


def rendered(template, messages, options, tokens):
    values = {name: token for name, token in zip(("bos_token", "eos_token"), tokens) if token}
    options = {"add_generation_prompt": True, **options}
    try:
        return chat_template_utils.render_jinja_template(
            [messages], chat_template=template, **options, **values)[0][0]
    except (jinja2.exceptions.TemplateError, TypeError):
        return None


def evaluated(template):
    try:
        return chat_template_utils._compile_jinja_template(template).render(**CONTEXT)
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, ZeroDivisionError):
        return None


def write(name, value, folder=FIXTURES):
    text = json.dumps({"versions": VERSIONS, **value}, indent=1, ensure_ascii=True)
    (folder / name).write_text(text + "\n")


def write_ids(models):
    """Ids by the templates and the vocabularies of published models."""
    known = {}
    for name in ("qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(models, gguf_file=f"{name}.gguf")
        if name.startswith("smollm"):
            # As published; reading a GGUF file leaves the splitting of digits out.
            backend = tokenizer.backend_tokenizer
            backend.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
                tokenizers.pre_tokenizers.Digits(True), tokenizers.pre_tokenizers.ByteLevel(False)])
        known[name] = [
            {"messages": messages, "ids": tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=True, return_dict=False)}
            for title, messages, options in CONVERSATIONS
            if not options and title != "marks in the text"]
    write("model-templates.json", {"models": known}, pathlib.Path("Tests/TokenizersTests/Fixtures"))


def main():
    templates = {}
    for path in sorted((FIXTURES / "templates").glob("*.jinja")):
        name = path.stem
        text = path.read_bytes().decode()
        tokens = next((pair for key, pair in TOKENS.items() if name.startswith(key)), ("<s>", "</s>"))
        results = [rendered(text, messages, options, tokens) for _, messages, options in CONVERSATIONS]
        print(name, sum(result is None for result in results), "refused")
        templates[name] = {"bos_token": tokens[0], "eos_token": tokens[1], "rendered": results}
    conversations = [
        {"name": name, "messages": messages, **options} for name, messages, options in CONVERSATIONS]
    write("renderings.json", {
        "today": TODAY.strftime("%Y-%m-%d"), "conversations": conversations, "templates": templates})
    cases = []
    for line in LANGUAGE:
        template = line.replace("¶", "\n").replace("§", "\r")
        cases.append({"template": template, "rendered": evaluated(template)})
    if len(sys.argv) > 1:
        write_ids(sys.argv[1])
    print(len(cases), "snippets,", sum(case["rendered"] is None for case in cases), "refused")
    write("language.json", {"today": TODAY.strftime("%Y-%m-%d"), "context": CONTEXT, "cases": cases})


main()
