import { Fault, toFault } from '../../kernel/fault.ts'
import { faultPoint } from '../../kernel/fault-point.ts'
import { sha256 } from '../document.ts'
import type { Connector, Receipt } from './connector.ts'
import type { SentFolder } from './sent-folder.ts'
import { openDialogue, type SmtpDialogue, type SmtpReply } from './smtp-dialogue.ts'
import { checkCarriable, envelopeOf, hashOf, messageIdOf, stuffDots, type SmtpEnvelope } from './smtp-envelope.ts'
import { declined, impossible, showReply, showServer } from './smtp-failure.ts'
import { authenticate, greet, loginOf } from './smtp-session.ts'

export interface SmtpConnectorOptions {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly security: 'tls' | 'starttls' | 'none'
  readonly user?: string | undefined
  /** The secret: its name, and its value when there is one. */
  readonly password?: { readonly secret: string; readonly value: string | undefined } | undefined
  readonly ca?: string | undefined
  readonly from: string
  readonly sent?: SentFolder | undefined
  readonly patience?: Partial<SmtpPatience>
}

/** How long each part may take, in milliseconds. */
export interface SmtpPatience {
  readonly connect: number
  readonly command: number
  /** For each piece of the message. */
  readonly piece: number
  /** From the connection to the end of the message. */
  readonly whole: number
  /** For the answer to the whole message; what comes later is not known to have been taken. */
  readonly answer: number
}

const usual: SmtpPatience = { connect: 15_000, command: 30_000, piece: 30_000, whole: 75_000, answer: 45_000 }
const pieceBytes = 64 * 1024

/**
 * Hands mail to a server for submission, in a dialogue of its own: the bytes go out as they were signed, to everybody whom
 * the document names or to nobody, and for each step at which it can fail it is known whether the server may have taken them.
 */
export function createSmtpConnector(options: SmtpConnectorOptions): Connector {
  const { name, from } = options
  const patience = { ...usual, ...options.patience }

  async function open(signal: AbortSignal, use: 'send' | 'look') {
    const dialogue = await openDialogue({ ...options, connectMs: patience.connect, signal })
    try {
      faultPoint('smtp.connected')
      const { greeting, extensions } = await greet(dialogue, options, patience.command)
      faultPoint('smtp.greeted')
      if (use === 'send') await authenticate(dialogue, options, extensions, patience.command)
      faultPoint('smtp.authenticated')
      return { dialogue, extensions, greeting }
    } catch (error) {
      dialogue.leave()
      throw error
    }
  }

  return {
    name,
    kind: 'smtp',
    account: `${options.user ?? /<([^<>]*)>$/.exec(from)?.[1] ?? from} via ${showServer(options)}${options.sent ? `, a copy into ${options.sent.place}` : ''}`,
    zone: 'internet',
    from,
    ...(options.sent && { sent: options.sent }),
    accepts: (kind) => kind === 'mail',

    async deliver(bytes, document, signal, commit) {
      if (signal.aborted) throw new Fault('timeout', 'connector.not_sent', 'it was given up before it began')
      const wire = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      checkCarriable(wire)
      const envelope = envelopeOf(document)
      const early = new AbortController()
      const timer = setTimeout(() => early.abort(), patience.whole)
      let dialogue: SmtpDialogue | undefined
      try {
        const opened = await open(AbortSignal.any([signal, early.signal]), 'send')
        dialogue = opened.dialogue
        await announce(dialogue, envelope, wire, opened.extensions)
        await pour(dialogue, stuffDots(wire))
        clearTimeout(timer)
        await commit()
        refuseInterruption(dialogue)
        const reply = await endMessage(dialogue)
        dialogue.leave()
        return receiptFor(wire, envelope, reply)
      } catch (error) {
        dialogue?.drop()
        throw error
      } finally {
        clearTimeout(timer)
      }
    },

    async reach(signal) {
      loginOf(options)
      const { dialogue, greeting } = await open(signal, 'look')
      dialogue.leave()
      return showReply(greeting)
    },
  }

  /** Everybody is accepted, or nobody gets anything. */
  async function announce(dialogue: SmtpDialogue, envelope: SmtpEnvelope, wire: Buffer, extensions: ReadonlyMap<string, string>): Promise<void> {
    const largest = Number(extensions.get('SIZE') || 0)
    if (largest > 0 && wire.length > largest) throw impossible(options, 'MAIL', `takes no message larger than ${largest} bytes; this one has ${wire.length}`)
    const eightBit = wire.some((byte) => byte > 0x7f)
    if (eightBit && !extensions.has('8BITMIME')) throw impossible(options, 'MAIL', 'takes only ASCII, so that the bytes would be changed on the way')
    const parameters = `${extensions.has('SIZE') ? ` SIZE=${wire.length}` : ''}${eightBit ? ' BODY=8BITMIME' : ''}`
    const sender = await dialogue.ask('MAIL', `MAIL FROM:<${envelope.from}>${parameters}`, patience.command)
    if (!accepted(sender)) throw parting(dialogue, declined(options, 'MAIL', sender))
    faultPoint('smtp.mail')
    const refused: { readonly address: string; readonly reply: SmtpReply }[] = []
    for (const address of envelope.to) {
      const reply = await dialogue.ask('RCPT', `RCPT TO:<${address}>`, patience.command)
      if (!accepted(reply)) refused.push({ address, reply })
      if (reply.code === 421) break
    }
    if (refused.length > 0) throw parting(dialogue, refusal(refused, envelope.to.length))
    faultPoint('smtp.rcpt')
    const go = await dialogue.ask('DATA', 'DATA', patience.command)
    if (go.code !== 354) throw parting(dialogue, declined(options, 'DATA', go))
    faultPoint('smtp.data')
  }

  function refusal(refused: readonly { address: string; reply: SmtpReply }[], of: number): Fault {
    const worst = refused.find(({ reply }) => reply.code >= 500) ?? refused[0]!
    const { code, kind, details } = declined(options, 'RCPT', worst.reply)
    const names = refused.map(({ address, reply }) => `${address} (${showReply(reply).slice(0, 120)})`).join(', ').slice(0, 4_000)
    const rest = of > refused.length ? `; nobody got it, the other ${of - refused.length} neither` : ''
    const brief = `${showServer(options)} refused ${refused.length} of ${of} recipients at RCPT (${worst.reply.code})`
    return new Fault(kind, code, `${showServer(options)} refused ${names}${rest}`, { ...details, brief })
  }

  /** The whole message but the line that ends it: until then the server has taken nothing. */
  async function pour(dialogue: SmtpDialogue, message: Buffer): Promise<void> {
    for (let at = 0; at < message.length; at += pieceBytes) {
      await dialogue.write('the message', message.subarray(at, at + pieceBytes), patience.piece)
      refuseInterruption(dialogue)
    }
    faultPoint('smtp.body')
  }

  function refuseInterruption(dialogue: SmtpDialogue): void {
    const said = dialogue.interruption('the message')
    if (said) throw declined(options, 'the message', said)
  }

  /** From its first byte on the server may have taken the message, whatever is heard of it. */
  async function endMessage(dialogue: SmtpDialogue): Promise<SmtpReply> {
    const step = 'the end of the message'
    let reply: SmtpReply
    try {
      faultPoint('smtp.sent:before')
      await dialogue.write(step, '.\r\n', patience.piece)
      faultPoint('smtp.sent:after')
      reply = await dialogue.reply(step, patience.answer)
    } catch (error) {
      const fault = toFault(error)
      throw new Fault('unavailable', 'connector.unknown', fault.message, fault.details, error)
    }
    if (accepted(reply)) return reply
    if (reply.code >= 400) throw declined(options, step, reply)
    throw new Fault('unavailable', 'connector.unknown', `${showServer(options)} answered at ${step} what is no answer: ${showReply(reply)}`, { brief: `${showServer(options)} answered ${reply.code} at ${step}`, step })
  }

  function receiptFor(wire: Buffer, envelope: SmtpEnvelope, reply: SmtpReply): Receipt {
    const messageId = messageIdOf(wire)
    return {
      server: showServer(options), reply: showReply(reply), ...(messageId !== undefined && { message_id: messageId }),
      recipients: envelope.to.length, envelope: hashOf(envelope), sha256: sha256(wire), length: wire.length,
    }
  }
}

function accepted({ code }: SmtpReply): boolean {
  return code >= 200 && code < 300
}

/** Takes leave in peace, with nothing begun. */
function parting(dialogue: SmtpDialogue, fault: Fault): Fault {
  dialogue.leave()
  return fault
}
