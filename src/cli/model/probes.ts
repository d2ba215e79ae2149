import { crc32, deflateSync } from 'node:zlib'

/** What a client of OpenAI's wire reads of an answer, whole or put together from its pieces. */
export interface Said {
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
  /** How many pieces with text, thought or calls it came in. */
  readonly pieces: number
}

/** One question by which a model shows that it can do something. */
export interface Probe {
  readonly ability: 'streaming' | 'tools' | 'structured' | 'images'
  readonly body: Readonly<Record<string, unknown>>
  /** Why that was not it; undefined when it was. */
  judge(said: Said): string | undefined
}

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })

export const probes: readonly Probe[] = [
  {
    ability: 'streaming',
    body: { ...user('Count from one to ten in words, separated by commas.'), stream: true },
    judge: ({ pieces }) => (pieces > 1 ? undefined : 'the answer came in one piece'),
  },
  {
    ability: 'tools',
    body: {
      ...user('Call the tool report with the word ready. Say nothing else.'),
      tools: [{ type: 'function', function: { name: 'report', description: 'Takes a word', parameters: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] } } }],
    },
    judge({ calls }) {
      const call = calls.find(({ name }) => name === 'report')
      if (call === undefined) return 'it called no tool'
      return typeof field(call.arguments, 'word') === 'string' ? undefined : 'it called the tool with something else than it takes'
    },
  },
  {
    ability: 'structured',
    body: {
      ...user('Say that you are ready.'),
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'readiness', strict: true, schema: { type: 'object', properties: { ready: { type: 'boolean' } }, required: ['ready'], additionalProperties: false } },
      },
    },
    judge: ({ text }) => (typeof field(text, 'ready') === 'boolean' ? undefined : 'the answer does not follow the schema'),
  },
  {
    ability: 'images',
    body: user([
      { type: 'text', text: 'Which colour fills this picture? Answer with one English word.' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${redSquare(64).toString('base64')}` } },
    ]),
    judge: ({ text }) => (/\bred\b/i.test(text) ? undefined : 'it did not see that the picture is red'),
  },
]

/** A field of a text that ought to be a JSON object. */
function field(text: string, name: string): unknown {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null)?.[name]
  } catch {
    return undefined
  }
}

/** A PNG of one colour; some models refuse pictures of a single pixel. */
function redSquare(side: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 2, 0, 0, 0], 8) // 8 bits, RGB
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(side * 3, Buffer.of(255, 0, 0))])
  const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.concat(Array<Buffer>(side).fill(row)))), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}
