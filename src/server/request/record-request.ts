import type { Pool, PoolClient } from 'pg'

export interface OperatorRequest {
  readonly request: 'job.run' | 'job.pause' | 'job.resume' | 'run.cancel' | 'run.redrive' | 'run.reveal' | 'tool.run' | 'house.reload' | 'batch.cancel' | 'alert.acknowledge' | 'secret.render' | 'secret.rotate' | 'secret.undo'
  readonly subject: string
  /** Names and states; never content. */
  readonly detail?: Record<string, string | null>
}

/** Writes down that the operator asked for something, in the transaction that does it. */
export async function recordRequest(client: Pool | PoolClient, { request, subject, detail }: OperatorRequest): Promise<void> {
  await client.query("select audit_append('operator.request', $1, $2, 1::smallint)", [subject, JSON.stringify({ request, ...detail })])
}
