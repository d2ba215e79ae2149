import type { FaultKind } from '../../kernel/fault.ts'

export interface ModelRequest {
  /** What kind of work it is; the gate routes by it, e.g. `summarize`. */
  readonly task: string
  readonly system?: string | undefined
  readonly prompt: string
  readonly maxTokens?: number | undefined
  readonly signal: AbortSignal
}

export interface ModelAnswer {
  readonly text: string
  readonly model: string
}

/** Failures of a gate that mean: no model for this question here. Those that another try may mend come first. */
export const noModel: readonly FaultKind[] = ['unavailable', 'timeout', 'missing', 'refused']

/** The models that this run may reach, through the gates of its worker and under the run's own session. */
export interface Models {
  /** Throws a Fault of a kind in `noModel` when no gate has a model that answers; it says what each gate said. */
  ask(request: ModelRequest): Promise<ModelAnswer>
}
