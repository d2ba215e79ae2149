import { setTimeout as delay } from 'node:timers/promises'
import { SpanKind, SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { TraceSettings } from '../house/index.ts'
import { zoneClearance, type GateName } from '../labels/index.ts'
import type { CallObserver, ChatMessage, ObservedCall } from '../models/index.ts'

/** Spans of model calls, to an exporter; https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/. */
export interface Traces extends CallObserver {
  /** Sends what waits. */
  close(): Promise<void>
}

export interface TraceOptions {
  readonly gate: GateName
  readonly settings: TraceSettings
  /** Sent as it is, e.g. `Basic …` for Langfuse. */
  readonly authorization?: string | undefined
}

const longestQueue = 2_048
/** Milliseconds. */
const sendingTimeout = 5_000
/** Milliseconds that a stop waits for the exporter. */
const farewell = 1_500
const spanKept = 32_768

/**
 * A call goes to the exporter only where its label may go, its texts only when the operator wants them there too. Calls of one run
 * share a trace: its id is that of the run. What the exporter does not take is lost, and nobody waits for it.
 */
export function createTraces({ gate, settings, authorization }: TraceOptions): Traces {
  let runOfNext = ''
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `castellan-gate-${gate}` }),
    idGenerator: { generateTraceId: () => runOfNext, generateSpanId: () => crypto.randomUUID().replaceAll('-', '').slice(16) },
    spanProcessors: [
      new BatchSpanProcessor(
        new OTLPTraceExporter({ url: settings.url, timeoutMillis: sendingTimeout, headers: authorization === undefined ? {} : { authorization } }),
        { maxQueueSize: longestQueue, exportTimeoutMillis: sendingTimeout },
      ),
    ],
  })
  const tracer = provider.getTracer('castellan')

  return {
    begin(call) {
      if (call.label.level > zoneClearance(settings.zone, call.label, call.lanes)) return unobserved
      runOfNext = (call.run ?? call.id).replaceAll('-', '')
      const span = tracer.startSpan(`chat ${call.candidate.model}`, { kind: SpanKind.CLIENT, root: true, attributes: { ...attributesOf(call, gate), ...(settings.content ? inputOf(call) : {}) } })
      return observe(span, settings.content)
    },
    close: async () => {
      const timer = new AbortController()
      const sent = provider.shutdown().catch(() => {})
      await Promise.race([sent, delay(farewell, undefined, { signal: timer.signal }).catch(() => {})])
      timer.abort()
    },
  }
}

const unobserved = { chunk: () => {}, end: () => {} }

function observe(span: Span, content: boolean): ReturnType<CallObserver['begin']> {
  const said = { text: '', calls: [] as { name: string; arguments: string }[] }
  let began = false
  return {
    chunk(chunk) {
      if (!began && chunk.kind !== 'usage') {
        began = true
        span.addEvent('gen_ai.first_output')
      }
      if (chunk.kind === 'finish') span.setAttribute('gen_ai.response.finish_reasons', [chunk.reason])
      if (!content) return
      if (chunk.kind === 'text' && said.text.length < spanKept) said.text += chunk.text
      if (chunk.kind === 'tool_call') {
        const known = (said.calls[chunk.index] ??= { name: chunk.name ?? '', arguments: '' })
        if (known.arguments.length < spanKept) known.arguments += chunk.arguments
      }
    },
    end({ state, reason, inputTokens, outputTokens }) {
      span.setAttributes({ 'gen_ai.usage.input_tokens': inputTokens, 'gen_ai.usage.output_tokens': outputTokens, 'castellan.state': state })
      if (reason !== undefined) span.setAttribute('castellan.reason', reason)
      if (content) span.setAttribute('gen_ai.output.messages', JSON.stringify([{ role: 'assistant', parts: [{ type: 'text', content: said.text }, ...said.calls.map((call) => ({ type: 'tool_call', ...call }))] }]))
      if (state !== 'succeeded') {
        span.setStatus({ code: SpanStatusCode.ERROR })
        span.setAttribute('error.type', reason ?? state)
      }
      span.end()
    },
  }
}

function attributesOf({ id, job, run, client, task, candidate, label, conversation, operation }: ObservedCall, gate: GateName): Attributes {
  const { maxTokens, temperature, topP } = conversation
  return {
    'gen_ai.operation.name': operation ?? 'chat',
    'gen_ai.provider.name': candidate.upstream,
    'gen_ai.request.model': candidate.model,
    ...(maxTokens !== undefined && { 'gen_ai.request.max_tokens': maxTokens }),
    ...(temperature !== undefined && { 'gen_ai.request.temperature': temperature }),
    ...(topP !== undefined && { 'gen_ai.request.top_p': topP }),
    'castellan.call': id,
    ...(run !== null && { 'castellan.run': run, 'castellan.job': job ?? '' }),
    ...(client !== undefined && { 'castellan.client': client }),
    'castellan.task': task,
    'castellan.gate': gate,
    'castellan.zone': candidate.zone,
    'castellan.label': `P${label.level}`,
    'castellan.lanes': [...label.lanes],
  }
}

function inputOf({ conversation }: ObservedCall): Attributes {
  const text = ({ content }: ChatMessage) => (typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : `(${part.mediaType})`)).join('\n'))
  const messages = conversation.messages.map((message) => ({ role: message.role, parts: [{ type: 'text', content: text(message).slice(0, spanKept) }] }))
  return { 'gen_ai.input.messages': JSON.stringify(messages) }
}
