import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../kernel/fault.ts'
import type { Boot } from './boot.ts'
import type { Channel } from './channel.ts'
import { hearJsonLines, sendJsonLine } from './json-lines.ts'

const patienceMs = 60_000
const pauseMs = 200
/** EX_TEMPFAIL: try again. Whoever ends because it was told to ends with 0, and stays down. */
const orphanExit = 75

/** Goes to the door that `up` keeps for this process, waits until somebody opens, and is told its boot message there. @throws Fault `attach.nobody` */
export async function attachTo(path: string, patience = patienceMs): Promise<{ boot: Boot; channel: Channel }> {
  const socket = await reach(path, performance.now() + patience)
  const booted = Promise.withResolvers<Boot>()
  const waiting: object[] = []
  let listener: (message: object) => void = (message) => waiting.push(message)
  socket.on('error', () => {}) // `close` follows, and says the same
  socket.once('close', () => booted.reject(new Fault('unavailable', 'attach.refused', `\`up\` hung up at ${path}: another process of this name may be running; its unit starts this one again`)))
  hearJsonLines(socket, (message) => {
    if ('boot' in message) booted.resolve(message.boot as Boot)
    else listener(message)
  })
  sendJsonLine(socket, { type: 'hello', pid: process.pid })
  const boot = await booted.promise
  return {
    boot,
    channel: {
      send: (message) => sendJsonLine(socket, message),
      onMessage: (hear) => {
        listener = hear
        for (const message of waiting.splice(0)) hear(message)
      },
      onClose: (gone) => {
        if (socket.destroyed) gone()
        else socket.once('close', gone)
      },
      termDeadlineMs: 8_000,
      orphanExit,
    },
  }
}

async function reach(path: string, deadline: number): Promise<Socket> {
  for (;;) {
    const socket = connect(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      // a door that is not open yet looks like one that never will be: `up` opens it last
      const closed = (error as NodeJS.ErrnoException).code === 'EACCES'
      if (performance.now() > deadline && closed) throw new Fault('refused', 'attach.door', `this user may not go through ${path}: is castellan.service running, and does this unit run as the user that it names? \`systemctl status castellan\``, {}, error)
      if (performance.now() > deadline) throw new Fault('unavailable', 'attach.nobody', `nobody answers at ${path}: is castellan.service running? \`systemctl status castellan\``, {}, error)
      await delay(pauseMs)
    }
  }
}
