# Writes cases.json: what Jinja itself (3.1, in the environment that Hugging Face renders chat templates in) makes of these templates.
# usage: python3 reference.py > cases.json
import json

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception

names = {
    "messages": [
        {"role": "system", "content": " Be \u00e9 \U0001F600 \"nice\"\n"},
        {"role": "user", "content": "hi 'x'\\n\t"},
        {"role": "assistant", "content": "yo"},
        {"role": "user", "content": "q"},
    ],
    "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "tools": None, "documents": None,
}

templates = [
    "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}] {{ m.content | trim }}{{ eos_token }}{% endfor %}",
    '{% if x %}',
    "{{ raise_exception('no') }}",
    '{{ messages }}',
    '{{ messages|tojson }}',
    '{{ messages|tojson(indent=2) }}',
    '{{ messages[0]|tojson(sort_keys=true, ensure_ascii=true) }}',
    "{{ messages[0]|tojson(separators=(',',':')) }}",
    '{{ none }}|{{ true }}|{{ 1.0 }}|{{ 3/2 }}|{{ 7//2 }}|{{ -7//2 }}|{{ -7%3 }}|{{ 7%-3 }}|{{ 2**10 }}|{{ 1e20 }}|{{ 0.1+0.2 }}',
    '{{ undefinedvar }}|{{ undefinedvar is defined }}|{{ undefinedvar == none }}|{{ undefinedvar|length }}',
    '{{ undefinedvar.foo }}',
    "{{ undefinedvar + 'x' }}",
    "{{ 'a' + 1 }}",
    "{{ 'a' ~ 1 ~ none ~ true }}",
    "{{ messages[1:]|length }} {{ messages[::-1]|map(attribute='role')|join(',') }} {{ messages[-1].content }} {{ messages[10] }} {{ messages[:-1]|length }}{{ messages[::2]|length }}",
    "{{ 'héllo😀'[5] }} {{ 'héllo😀'|length }} {{ 'hello'[1:3] }} {{ 'hello'[::-1] }} {{ 'hello'[-3:] }} {{ 'hello'[5:1:-2] }}",
    "{{ messages[0].content.strip().split('\\n')[-1] }}|{{ 'a b  c'.split() }}|{{ ' a b  c '.split(' ') }}|{{ 'a,b,c'.rsplit(',',1) }}|{{ 'a b c d'.split(None,2) }}|{{ 'a b c d'.rsplit(None,2) }}|{{ ' a b '.rsplit() }}|{{ ' a  b  '.split(None, 1) }}|{{ '  a  b '.rsplit(None, 1) }}",
    "{{ ''.split() }}|{{ ''.split(',') }}|{{ ' '.split() }}|{{ 'abc'.split('') }}",
    "{% set ns = namespace(a=1, b='x') %}{% for i in range(3) %}{% set ns.a = ns.a + i %}{% set q = i %}{% endfor %}{{ ns.a }}{{ q }}{{ ns.b }}{{ ns.c }}",
    '{% set l = [] %}{% set _ = l.append(1) %}{{ l }}',
    "{% for k, v in {'a': 1, 'b': [1,2]}.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in {'a': 1, 'b': 2} %}{{ k }}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('o','e') }}{% else %}none{% endfor %}",
    "{% for k in [] %}x{% else %}none{% endfor %}{% for c in 'abc' %}{{ c }}-{% endfor %}{% for x in undefinedvar %}z{% endfor %}",
    "{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ m.content }}{% if loop.last %}L{% endif %}{% endfor %}",
    "{% for m in messages %}{% if m.role == 'assistant' %}{% continue %}{% endif %}{% if loop.index > 3 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
    "{% macro f(x, y=2) %}<{{ x }},{{ y }}>{% endmacro %}{{ f(1) }}{{ f(1, y='z') }}{{ f() }}",
    '{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1, 2) }}',
    '{{ f(1) }}',
    "{{ 'a' if false }}|{{ 'a' if true else 'b' }}|{{ 'x' if undefinedvar is defined else 'y' }}|{{ 'x' if undefinedvar is not defined and true else 'y' }}",
    "{{ messages[0].get('foo','d') }}{{ messages[0].get('foo') }}{{ messages[0].get('role') }}{{ messages[0]['nope'] }}{{ messages[0].nope is defined }}",
    "{{ messages | selectattr('role','equalto','user') | list | length }}{{ messages|rejectattr('role','in',['user','system'])|map(attribute='role')|list }}{{ messages|selectattr('tool_calls')|list }}{{ messages|selectattr('tool_calls','defined')|list }}",
    "{{ [3,1,2]|sort }}{{ ['b','A','c']|sort }}{{ ['b','A','c']|sort(reverse=true, case_sensitive=true) }}{{ [1,2,3]|sum }}{{ [1,5,3]|max }}{{ [4,5,3]|min }}{{ ['a','b','a']|unique|list }}{{ messages|sort(attribute='role')|map(attribute='role')|list }}",
    "{{ {'b':1,'a':2}|dictsort }}{{ {'b':1,'a':2}|items|list }}{{ {'b':1,'a':2}|length }}{{ {'b':1} == {'b':1.0} }}{{ [1,2] < [1,3] }}",
    "{{ 'x' in 'xyz' }}{{ 'x' not in ['y'] }}{{ 'a' in {'a':1} }}{{ 1 in [1,2] }}{{ 1 < 2 < 3 }}{{ 1 < 2 > 3 }}{{ not 1 == 2 }}{{ not false and true }}{{ 1 and 0 or 5 }}{{ none or 'k' }}",
    '{{ "esc \\" \\n \\t \\\\ \\x41 \\u00e9 \\U0001F600 \\q" }}{{ \'it\'\'s\' }}{{ \'a\' \'b\' }}',
    '{{ \'Hello World foo\'|title }}{{ "it\'s a-b"|title }}{{ \'hELLO\'|capitalize }}{{ \'abc\'|upper }}{{ \'ABC\'.lower() }}{{ \'hello world\'.title() }}{{ \'abc\'|first }}{{ \'abc\'|last }}{{ \'abc\'|reverse }}{{ \'abc\'|list }}',
    "{{ 'a.b.c'.replace('.','-') }}{{ 'aaa'|replace('a','b',2) }}{{ 'abc'.replace('','-') }}{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x','c')) }}{{ 'abcabc'.find('c') }}{{ 'abcabc'.rfind('c') }}{{ 'abc'.count('') }}{{ 'aXbX'.count('X') }}",
    "{{ '  x '|trim }}|{{ 'xxaxx'|trim('x') }}|{{ 'xxaxx'.lstrip('x') }}|{{ 'xxaxx'.rstrip('x') }}|{{ none|trim }}|{{ 5|string + 'x' }}|{{ '12'|int + 1 }}|{{ 'z'|int }}|{{ '1.9'|int }}|{{ 2.7|int }}|{{ '1.5'|float }}|{{ 3|float }}",
    "{{ undefinedvar|default('d') }}{{ ''|default('d') }}{{ ''|default('d', true) }}{{ none|d('q') }}{{ none|default('q', boolean=True) }}",
    '{{ [1,\'a\',none,true,1.5,{\'k\':[]}] }}{{ (1,) }}{{ (1,2) }}{{ () }}{{ "a\'b" }}{{ ["a\'b", \'a"b\', \'a\\\'"b\', \'n\\nl\\t\\\\\', \'é\\x00\\x7f\\xad\'] }}',
    "{{ x is none }}{{ none is none }}{{ 1 is number }}{{ 'a' is string }}{{ [] is iterable }}{{ {} is mapping }}{{ [] is sequence }}{{ true is boolean }}{{ 1 is integer }}{{ 1.0 is float }}{{ true is true }}{{ 3 is odd }}{{ 4 is divisibleby 2 }}{{ 4 is divisibleby(3) }}{{ 'a' is in ['a'] }}{{ 1 is sameas true }}{{ true is sameas true }}{{ true is integer }}{{ range is callable }}",
    '{{ 1 is not none and 2 is defined }}{{ messages[0].role is string and messages[0].content is not mapping }}',
    '{# comment #}x{#- c -#} y {#+ c +#} z',
    '  {%- if true -%}  a  {%- endif -%}  b',
    '{% raw %}{{ x }}{% endraw %}{%- raw -%} {% foo %} {%- endraw -%} z',
    '{% set x %}abc {{ 1+1 }}{% endset %}[{{ x }}]{% set y | upper %}abc{% endset %}{{ y }}{% filter upper|trim %} hello {% endfilter %}',
    '{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set a, b = [1] %}',
    '{{ range(5)|list }}{{ range(1,4)|list }}{{ range(10,0,-3)|list }}{{ range(0)|list }}{{ range(3)|length }}',
    '{{ range(1000000)|length }}',
    '{% generation %}x{% endgeneration %}',
    "{{ {'a': {'b': 1}}.a.b }}{{ {'a': 1}['a'] }}{{ {'items': 5}['items'] }}{{ {'items': 5}.items is callable }}{{ {'a':1}.keys()|list }}{{ {'a':1}.values()|list }}",
    "{{ [1,2]|map('string')|join('-') }}{{ ['a','b']|map('upper')|list }}{{ [1,2,3,4]|select('odd')|list }}{{ [1,2,3,4]|reject('gt', 2)|list }}{{ [0,1,'']|select|list }}{{ ['a b','c']|map('replace',' ','_')|list }}",
    "{{ 1 + 2 * 3 - -1 }}{{ (1 + 2) * 3 }}{{ 2 ** 3 ** 2 }}{{ -2 ** 2 }}{{ 'a' * 3 }}{{ [1] * 2 + [3] }}{{ 1 ~ 2 + 3 }}{{ +5 }}{{ - 5|abs }}{{ -5|abs }}",
    '{{ 10 // 0 }}',
    '{{ 5 is divisibleby 0 }}',
    "{{ messages|length > 3 and messages[0]['role'] == 'system' }}{{ (messages[0]['role'] == 'user') != (1 % 2 == 0) }}",
    '{{ loop }}',
    "{{ 'a\\nb\\n\\nc'|indent(2) }}{{ 'a\\nb'|indent(4, true) }}{{ 2.5|round }}{{ 2.567|round(2) }}{{ 2.1|round(0,'ceil') }}",
    '{% if true %}a{% elif false %}b{% else %}c{% endif %}{% if false %}a{% elif true %}b{% else %}c{% endif %}{% if false %}a{% elif false %}b{% else %}c{% endif %}',
    '{{ "{%" }}{{ \'}}\' }}{{ "%}" }}{% if "%}" == \'%}\' %}ok{% endif %}{{ {\'a\':{\'b\':{}}} }}',
    "{ {{ '{' }} } {a} {{'x'}}}",
    '{% for i in range(3) %}{% for j in range(2) %}{{ loop.index }}{{ i }}{{ j }} {% endfor %}{{ loop.index }}{% endfor %}',
    '{% for a, b in [(1,2),[3,4]] %}{{ a+b }},{% endfor %}{% for (a, b) in [(1,2)] %}{{ a }}{% endfor %}',
    '{% set ns = namespace() %}{% set ns.x = ns %}{{ ns.x.x.x is defined }}',
    "{{ 'a' < 'b' }}{{ 'a' < 1 }}",
    '{{ messages[0].content.foo }}{{ messages[0].content.foo.bar }}',
    '{{ "a" "b" | upper }}{{ 1_000 }}{{ 1.5e3 }}{{ 1e-5 }}{{ 123456789.123 }}',
    "{{ messages[0]['content'][0] }}{{ messages.0.role }}{{ none.foo }}",
    "{{ true + 1 }}{{ true == 1 }}{{ none == false }}{{ [] == () }}{{ 'x' == none }}",
    '{%- for message in messages %}',
    "    {%- if message.role == 'user' %}",
    "        {{- '<|user|>\\n' + message.content }}",
    "    {%- elif message.role == 'x' %}",
    '    {%- endif %}',
    '{%- endfor %}',
    '{% do x %}',
    "{% include 'a' %}",
    '{{ x.y',
    "{{ 'abc }}",
    '{% endif %}',
    '{% if a %}{% endfor %}',
    '{{ [1,2 }}',
    '{{ 1 2 }}',
    '{{ }}',
    '{% %}',
    '{{ a b }}',
    '{% for x %}{% endfor %}',
    '{% for x in %}{% endfor %}',
    '{{ f( }}',
    '{% set %}',
    '{% macro %}{% endmacro %}',
    '{{ 1 | }}',
    '{{ x is }}',
    '{{ a.|b }}',
    '{# x',
    '{% raw %}x',
    '{{ (1,2 }}',
    "{{ 'a' if }}",
    "{{ [1,2,] }}{{ {'a':1,} }}{{ (1,2,) }}",
    '{{ caller() }}',
    '{% set x = 1, 2 %}{{ x }}',
    '{% for x in 1, 2 %}{{ x }}{% endfor %}{% for x in messages[:1] + messages[2:] %}{{ x.role }}{% endfor %}',
    '{% if messages[0] is mapping and not messages[0] is string %}m{% endif %}',
    "{{ 'abc' | length - 1 }}{{ messages | length % 2 }}{{ loop is defined }}",
    "{{ dict(a=1, b=2) }}{{ dict({'x': 1}, y=2) }}",
    '{{ 1|nofilter }}',
    '{{ 1 is notest }}',
    'a\n\n',
    'a\n',
    'a\r\nb\r\n',
    '  {% if true %}\n  x\n  {% endif %}\n y',
    'x  {% if true %}  \n y{% endif %}',
    "{{ 'x' }}\n{% set a = 1 %}\n\n{# c #}\n  {# c #}\n z",
    '  {%+ if true %}\n  x {%- endif +%}\n y',
    '\t{% if true +%}\nx{% endif %}',
    '{% if true %}{% if true %}\n  {% endif %}\n{% endif %}',
    '{#- a -#}\n\n  b {{- 1 -}}  \n c',
    '{% raw %}\n a\n{% endraw %}\n b',
    '  {% raw -%}\n a\n  {%- endraw %}\n b',
    "{% macro f(x, y=2) %}[{{ x }}{{ y }}{{ caller() if caller is defined else '-' }}]{% endmacro %}{{ f(1) }}{% call f(3) %}body {{ 1 }}{% endcall %}",
    '{% macro f() %}{{ caller(1, b=2) }}{% endmacro %}{% call(a, b) f() %}{{ a }}/{{ b }}{% endcall %}',
    "{% macro f(a, b, c=3) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(*[1, 2]) }}{{ f(1, **{'b': 5, 'c': 6}) }}{{ f(*'xy', c=0) }}",
    '{% macro f(a) %}{{ a }}{% endmacro %}{{ f(a=1, a=2) }}',
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(a=1, **{'a': 2}) }}",
    '{% macro f(a) %}{{ a }}{% endmacro %}{{ f(**3) }}',
    '{% macro f(a) %}{{ a }}{% endmacro %}{{ f(a=1, 2) }}',
    '{% call 3 %}{% endcall %}',
    '{% call f() %}',
    '{% macro outer() %}<{{ caller() }}>{% endmacro %}{% macro inner() %}({{ caller() }}){% endmacro %}{% call outer() %}{% call inner() %}x{% endcall %}{% endcall %}',
    '{% for i in range(2) %}{% macro g() %}{{ i }}{% endmacro %}{{ g() }}{% endfor %}',
    "{{ {'a':1}|tojson }}{{ namespace(**{'q': 4}).q }}",
]

cases = []
for template in templates:
    try:
        cases.append({"template": template, "text": environment.from_string(template).render(**names)})
    except Exception:
        cases.append({"template": template, "text": None})
print(json.dumps({"names": names, "cases": cases}, indent=1))
