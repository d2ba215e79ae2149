import type { IncomingMessage } from 'node:http'

/** The exact bytes of a request, or why they were not read to their end: more than `bytes`, or not there in time. */
export async function readBody(request: IncomingMessage, { bytes, withinMs }: { readonly bytes: number; readonly withinMs: number }): Promise<Buffer | 'size' | 'slow'> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > bytes) return 'size'
  const { promise, resolve } = Promise.withResolvers<Buffer | 'size' | 'slow'>()
  const timer = setTimeout(() => resolve('slow'), withinMs)
  const chunks: Buffer[] = []
  let length = 0
  const onData = (chunk: Buffer) => {
    length += chunk.length
    if (length > bytes) resolve('size')
    else chunks.push(chunk)
  }
  const broken = () => resolve('slow')
  request.on('data', onData)
  request.once('end', () => resolve(Buffer.concat(chunks)))
  request.once('error', broken).once('aborted', broken).once('close', broken)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    request.off('data', onData)
    if (!request.complete) request.pause()
  }
}
