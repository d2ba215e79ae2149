/**
 * A process of its own for what strangers wrote: raw messages on stdin, each behind its length (32 bits, big endian);
 * one line of JSON a message on stdout, after a first line that says it is ready. It holds nothing and reaches nothing.
 */
import { readMessage } from './read-message.ts'

async function* messages(input: AsyncIterable<Buffer>): AsyncGenerator<AsyncIterable<Buffer>> {
  const source = input[Symbol.asyncIterator]()
  let pending: Buffer = Buffer.alloc(0)

  async function take(most: number): Promise<Buffer | undefined> {
    while (pending.length === 0) {
      const next = await source.next()
      if (next.done) return undefined
      pending = next.value
    }
    const taken = pending.subarray(0, most)
    pending = pending.subarray(most)
    return taken
  }

  async function takeLength(): Promise<number | undefined> {
    let head: Buffer = Buffer.alloc(0)
    while (head.length < 4) {
      const more = await take(4 - head.length)
      if (more === undefined) return undefined
      head = Buffer.concat([head, more])
    }
    return head.readUInt32BE(0)
  }

  for (let length = await takeLength(); length !== undefined; length = await takeLength()) {
    let left = length
    async function* body(): AsyncGenerator<Buffer> {
      while (left > 0) {
        const chunk = await take(Math.min(left, 64 * 1024))
        if (chunk === undefined) return
        left -= chunk.length
        yield chunk
      }
    }
    const chunks = body()
    yield chunks
    // whatever the reader left over is not the next message
    for await (const _rest of chunks) void _rest
  }
}

function say(value: unknown): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(value)}\n`, () => resolve()))
}

await say({ ready: true })
for await (const message of messages(process.stdin)) await say(await readMessage(message))
