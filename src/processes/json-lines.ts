import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'

/** A house of many jobs is a few megabytes; nobody has more to say in one message. */
export const longestMessage = 64 * 1024 * 1024

/** Calls `heard` for each line of JSON; who sends something else, or a line without end, is cut off. */
export function hearJsonLines(socket: Socket, heard: (message: object) => void, longest = longestMessage): void {
  const decoder = new StringDecoder('utf8')
  let parts: string[] = []
  let length = 0
  socket.on('data', (bytes: Buffer) => {
    const pieces = decoder.write(bytes).split('\n')
    for (const [index, piece] of pieces.entries()) {
      if (socket.destroyed) return
      length += piece.length
      if (length > longest) return void socket.destroy()
      parts.push(piece)
      if (index === pieces.length - 1) return
      const message = parse(parts.join(''))
      parts = []
      length = 0
      if (message === undefined) return void socket.destroy()
      heard(message)
    }
  })
}

export function sendJsonLine(socket: Socket, message: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`)
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
