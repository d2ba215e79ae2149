import { MailParser } from 'mailparser'
import { htmlText } from './html-text.ts'

/** What the parser emits; the types of mailparser do not cover all of it. */
export interface MailPart {
  readonly type: 'attachment' | 'text'
  readonly filename?: string
  readonly contentType?: string
  readonly content: NodeJS.ReadableStream
  release(): void
}

interface MimeNode {
  readonly contentType: string | false
  readonly textContent?: string
  readonly children: readonly MimeNode[]
}

interface SplitterChunk {
  readonly type: 'node' | 'data' | 'body'
  readonly value?: Buffer
}

/** The inner parts of mailparser 3.9 that a bound needs; its version is pinned and read-message.test.ts covers them. */
interface Inside {
  tree: MimeNode | false
  curnode: (MimeNode & { isAttachment?: boolean }) | false
  headers: Map<string, unknown> | false
  headerLines: readonly { key: string; line: string }[] | false
  readonly splitter: NodeJS.EventEmitter
  processChunk(data: SplitterChunk, done: () => void): void
}
const Base = MailParser as unknown as new (options: object) => InstanceType<typeof MailParser> & Inside

const textBytes = 1024 * 1024
const parts = 200
const headSize = 256 * 1024

/** Parses a message in bounded memory: attachments stream through, text beyond a megabyte is left out, heads and parts are limited. */
export class BoundedParser extends Base {
  textLimitReached = false
  #textBytes = 0

  constructor() {
    super({ maxHeadSize: headSize, maxChildNodes: parts, skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true })
  }

  override processChunk(data: SplitterChunk, done: () => void): void {
    if (data.type === 'body' && data.value && this.curnode && !this.curnode.isAttachment) {
      this.#textBytes += data.value.length
      if (this.#textBytes > textBytes) {
        this.textLimitReached = true
        return void setImmediate(done)
      }
    }
    super.processChunk(data, done)
  }

  /** In place of mailparser's own, which converts everything twice. */
  getTextContent(): { type: 'text' } {
    return { type: 'text' }
  }

  /** The text that a reader would see: of alternatives the plain one, else what the HTML says. */
  readText(): string {
    return this.tree ? textOf(this.tree).trim() : ''
  }
}

function textOf(node: MimeNode): string {
  if (node.textContent) {
    if (node.contentType === 'text/html') return htmlText(node.textContent)
    return node.textContent
  }
  const texts = node.children.map((child) => ({ type: child.contentType, text: textOf(child) })).filter((child) => child.text.trim() !== '')
  if (node.contentType === 'multipart/alternative') {
    return (texts.find((child) => child.type === 'text/plain') ?? texts.at(-1))?.text ?? ''
  }
  return texts.map((child) => child.text).join('\n\n')
}
