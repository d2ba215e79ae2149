/** Where a gate is, and the key that opens it. */
export interface Access {
  /** e.g. http://127.0.0.1:7402 */
  readonly address: string
  readonly key: string
  /** What the client is to ask for. */
  readonly model: string
}

export interface ClientRecipe {
  readonly name: string
  readonly title: string
  /** Where the settings go, in words that a person can follow. */
  readonly where: string
  /** The text to paste. */
  settings(access: Access): string
  readonly note?: string
}

const openaiEnvironment = ({ address, key }: Access) => `export OPENAI_BASE_URL=${address}/v1\nexport OPENAI_API_KEY=${key}`

/** Programs that speak a wire of the gates, with the settings that make them speak to yours. */
export const clients: readonly ClientRecipe[] = [
  {
    name: 'open-webui',
    title: 'Open WebUI',
    where: 'into the environment that it is started with, or under Admin settings → Connections → OpenAI',
    settings: ({ address, key }) => `OPENAI_API_BASE_URL=${address}/v1\nOPENAI_API_KEY=${key}\nENABLE_OLLAMA_API=false`,
    note: 'In Docker, run it with --network host: the gates answer to this machine alone. Each conversation chooses one of the models that the key may use.',
  },
  {
    name: 'codex',
    title: 'Codex CLI',
    where: 'into ~/.codex/config.toml, and the key into the environment',
    settings: ({ address, key, model }) => [
      `model = "${model}"`, 'model_provider = "castellan"', 'web_search = "disabled" # nothing goes out by the hand of a provider', '', '[model_providers.castellan]', 'name = "Castellan"', `base_url = "${address}/v1"`, 'wire_api = "responses"',
      'env_key = "CASTELLAN_KEY"', '', '# in the shell', `# export CASTELLAN_KEY=${key}`,
    ].join('\n'),
  },
  {
    name: 'opencode',
    title: 'opencode',
    where: 'into opencode.json, of a project or in ~/.config/opencode',
    settings: ({ address, key, model }) => JSON.stringify({
      $schema: 'https://opencode.ai/config.json',
      provider: { castellan: { npm: '@ai-sdk/openai-compatible', name: 'Castellan', options: { baseURL: `${address}/v1`, apiKey: key }, models: { [model]: {} } } },
      model: `castellan/${model}`,
    }, null, 2),
    note: 'The key stands in that file: keep it out of git, or write {env:CASTELLAN_KEY} there and set that variable. More models are more entries of `models`, as `castellan model list` names them.',
  },
  {
    name: 'claude-code',
    title: 'Claude Code',
    where: 'into the environment, or under "env" in ~/.claude/settings.json',
    settings: ({ address, key, model }) => [
      `export ANTHROPIC_BASE_URL=${address}`, `export ANTHROPIC_AUTH_TOKEN=${key}`, `export ANTHROPIC_MODEL=${model}`, `export ANTHROPIC_SMALL_FAST_MODEL=${model}`,
      'export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1',
    ].join('\n'),
    note: 'Its web search runs at a provider and is refused here. A local model needs a long context: it is sent some 20,000 tokens with every question.',
  },
  {
    name: 'anthropic-sdk',
    title: 'the Anthropic SDKs, and programs built on them',
    where: 'into the environment',
    settings: ({ address, key }) => `export ANTHROPIC_BASE_URL=${address}\nexport ANTHROPIC_API_KEY=${key}`,
    note: 'Ask for the model auto, task:NAME, or one of `castellan model list` as upstream/model.',
  },
  {
    name: 'gemini-cli',
    title: 'Gemini CLI',
    where: 'into the environment, or into ~/.gemini/.env',
    // it makes names of Google's out of `auto`, so the default route is asked for by its name
    settings: ({ address, key, model }) => `export GOOGLE_GEMINI_BASE_URL=${address}\nexport GEMINI_API_KEY=${key}\nexport GEMINI_MODEL=${model === 'auto' ? 'task:default' : model}`,
    note: 'In ~/.gemini/settings.json let security.auth.selectedType be "gemini-api-key", or it signs in at Google; a GOOGLE_API_KEY that is set goes before the key, so unset it. Google’s web search and what it fetches run at a provider and are refused here; for small things of its own it asks for models of Google’s by name, and does without where an upstream has none of that name.',
  },
  {
    name: 'google-sdk',
    title: 'the Google Gen AI SDKs, and programs built on them',
    where: 'into the environment',
    settings: ({ address, key }) => `export GOOGLE_GEMINI_BASE_URL=${address}\nexport GEMINI_API_KEY=${key}`,
    note: 'Ask for the model auto, task:NAME, or one of `castellan model list` as upstream/model.',
  },
  {
    name: 'openai-sdk',
    title: 'the OpenAI SDKs, and programs built on them',
    where: 'into the environment',
    settings: openaiEnvironment,
    note: 'Ask for the model auto, task:NAME, or one of `castellan model list` as upstream/model.',
  },
  {
    name: 'ollama',
    title: 'clients of Ollama that can send a header',
    where: 'into the environment and, the second half, into the program',
    settings: ({ address, key, model }) => [
      `export OLLAMA_HOST=${address}`, `export CASTELLAN_KEY=${key}`, '',
      '# JavaScript: new Ollama({ host: process.env.OLLAMA_HOST, headers: { Authorization: `Bearer ${process.env.CASTELLAN_KEY}` } })',
      '# Python:     Client(headers={"Authorization": "Bearer " + os.environ["CASTELLAN_KEY"]})',
      `# the model:  ${model}`,
    ].join('\n'),
    note: 'The gate wants its key with every request, and many clients of Ollama, its own command line among them, send none: connect those that can be set to an OpenAI-compatible server as openai-sdk.',
  },
  {
    name: 'aider',
    title: 'aider',
    where: 'into the environment',
    settings: ({ address, key, model }) => `export OPENAI_API_BASE=${address}/v1\nexport OPENAI_API_KEY=${key}\nexport AIDER_MODEL=openai/${model}`,
  },
  {
    name: 'curl',
    title: 'curl',
    where: 'into a shell',
    settings: ({ address, key, model }) =>
      `curl ${address}/v1/chat/completions -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\\n  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Say hello"}]}'`,
  },
]
