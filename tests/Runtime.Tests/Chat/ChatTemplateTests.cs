namespace LatentMoE.Runtime.Tests.Chat;

/// <summary>Templates with the features of those of well-known models, shortened.</summary>
public class ChatTemplateTests
{
    private const string ChatMl =
        "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}" +
        "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private const string Llama3 =
        "{% set loop_messages = messages %}{% for message in loop_messages %}" +
        "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}" +
        "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

    private const string Mistral =
        """
        {%- if messages[0]["role"] == "system" %}
            {%- set system_message = messages[0]["content"] %}
            {%- set loop_messages = messages[1:] %}
        {%- else %}
            {%- set loop_messages = messages %}
        {%- endif %}

        {{- bos_token }}
        {%- for message in loop_messages %}
            {%- if (message["role"] == "user") != (loop.index0 % 2 == 0) %}
                {{- raise_exception("roles must alternate user/assistant") }}
            {%- endif %}
            {%- if message["role"] == "user" %}
                {%- if loop.last and system_message is defined %}
                    {{- "[INST] " + system_message + "\n\n" + message["content"] + "[/INST]" }}
                {%- else %}
                    {{- "[INST] " + message["content"] + "[/INST]" }}
                {%- endif %}
            {%- else %}
                {{- " " + message["content"] | trim + eos_token }}
            {%- endif %}
        {%- endfor %}

        """;

    private const string DeepSeek =
        "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}" +
        "{% set ns = namespace(system_prompt='', is_first_sp=true) %}{%- for message in messages %}{%- if message['role'] == 'system' %}" +
        "{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}" +
        "{%- else %}{% set ns.system_prompt = ns.system_prompt + '\n\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}" +
        "{{ bos_token }}{{ ns.system_prompt }}{%- for message in messages %}{%- if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}{%- endif %}" +
        "{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}" +
        "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{ '<｜Assistant｜>' + content + eos_token }}{%- endif %}{%- endfor -%}" +
        "{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %}";

    private const string Gemma =
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}" +
        "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}" +
        "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}" +
        "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";

    // Statements on lines of their own, whose newlines must not reach the prompt.
    private const string Zephyr =
        """
        {% for message in messages %}
        {% if message['role'] == 'user' %}
        {{ '<|user|>\n' + message['content'] + eos_token }}
        {% elif message['role'] == 'system' %}
        {{ '<|system|>\n' + message['content'] + eos_token }}
        {% else %}
            {{ '<|assistant|>\n' + message['content'] + eos_token }}
        {% endif %}
        {% if loop.last and add_generation_prompt %}
        {{ '<|assistant|>' }}
        {% endif %}
        {% endfor %}
        """;

    private const string Tools =
        "{%- macro show(value, kind='json') -%}{{ kind }}={{ value | tojson }}{%- endmacro -%}" +
        "{%- if tools is not none and tools is iterable %}{{ tools | tojson }}{%- endif %}" +
        "{%- for message in messages | rejectattr('role', 'equalto', 'system') %}{{- loop.index ~ '/' ~ loop.length ~ ' ' ~ show(message.content) ~ '\n' }}{%- endfor %}";

    private static readonly Dictionary<string, string> Tokens = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>" };

    private static readonly ChatTurn[] Asked = [new("user", " Hi ")];

    private static readonly ChatTurn[] Long = [new("system", "Be brief."), new("user", "A?"), new("assistant", "<think>hm</think>B."), new("user", "C?")];

    [Theory]
    [InlineData(ChatMl, "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n")]
    [InlineData(Llama3, "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")]
    [InlineData(Mistral, "<s>[INST]  Hi [/INST]")]
    [InlineData(DeepSeek, "<s><｜User｜> Hi <｜Assistant｜><think>\n")]
    [InlineData(Gemma, "<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n")]
    [InlineData(Zephyr, "<|user|>\n Hi </s>\n<|assistant|>\n")]
    [InlineData(Tools, "1/1 json=\" Hi \"\n")]
    public void Render_OneQuestion(string template, string expected) => Assert.Equal(expected, new ChatTemplate(template, Tokens).Render(Asked));

    [Theory]
    [InlineData(ChatMl, "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nA?<|im_end|>\n<|im_start|>assistant\n<think>hm</think>B.<|im_end|>\n<|im_start|>user\nC?<|im_end|>\n")]
    [InlineData(Mistral, "<s>[INST] A?[/INST] <think>hm</think>B.</s>[INST] Be brief.\n\nC?[/INST]")]
    [InlineData(DeepSeek, "<s>Be brief.<｜User｜>A?<｜Assistant｜>B.</s><｜User｜>C?")]
    [InlineData(Zephyr, "<|system|>\nBe brief.</s>\n<|user|>\nA?</s>\n    <|assistant|>\n<think>hm</think>B.</s>\n<|user|>\nC?</s>\n")]
    [InlineData(Tools, "1/3 json=\"A?\"\n2/3 json=\"<think>hm</think>B.\"\n3/3 json=\"C?\"\n")]
    public void Render_Conversation_WithoutGenerationPrompt(string template, string expected) =>
        Assert.Equal(expected, new ChatTemplate(template, Tokens).Render(Long, addGenerationPrompt: false));

    [Theory]
    [InlineData(Gemma, "The chat template refuses the conversation: System role not supported")]
    [InlineData("a\n{{ messages|shout }}", "The chat template cannot be rendered: line 2: the filter 'shout' is not supported.")]
    public void Render_WhatCannotBe_SaysWhy(string template, string message) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => new ChatTemplate(template, Tokens).Render(Long)).Message);

    [Fact]
    public void Constructor_NoTemplate_NamesTheLine() =>
        Assert.Equal("The chat template cannot be read: line 2: 'for' has no 'endfor'.", Assert.Throws<ArgumentException>(() => new ChatTemplate("x\n{% for m in messages %}")).Message);

    [Fact]
    public void Constructor_LongerThanAnyTemplate_Refuses() =>
        Assert.Contains("at most 262144 may be", Assert.Throws<ArgumentException>(() => new ChatTemplate(new string('x', ChatTemplate.MaxLength + 1))).Message);

    [Fact]
    public void Render_NoMessages_Refuses() =>
        Assert.Contains("no messages", Assert.Throws<ArgumentException>(() => new ChatTemplate(ChatMl).Render([])).Message);

    [Fact]
    public void Render_MessageWithoutContent_NamesIt() =>
        Assert.Contains("Message 1 of the conversation has no content", Assert.Throws<ArgumentException>(() => new ChatTemplate(ChatMl).Render([.. Asked, new("user", null!)])).Message);

    [Fact]
    public void Render_LongConversation_StaysWithinItsLimit()
    {
        ChatTurn[] turns = [.. Enumerable.Range(0, 2000).Select(i => new ChatTurn(i % 2 == 0 ? "user" : "assistant", new string('x', 500)))];
        Assert.All([Llama3, Mistral, DeepSeek, Gemma, Zephyr], template => Assert.True(new ChatTemplate(template, Tokens).Render(turns).Length > 1_000_000));
    }
}
