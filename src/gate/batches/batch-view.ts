import { toBatchId, toFileId } from './batch-id.ts'
import type { BatchRow } from './batch-store.ts'

/** A batch as OpenAI's clients read it. */
export function batchView(batch: BatchRow): object {
  const { id, inputFile, outputFile, errorFile, endpoint, state, errors, total, answered, failed, metadata } = batch
  const closedIn = (final: BatchRow['state']) => (state === final ? seconds(batch.closedAt) : null)
  return {
    id: toBatchId(id), object: 'batch', endpoint, status: state, completion_window: '24h',
    errors: errors && { object: 'list', data: errors },
    input_file_id: toFileId(inputFile),
    output_file_id: outputFile && toFileId(outputFile),
    error_file_id: errorFile && toFileId(errorFile),
    created_at: seconds(batch.openedAt),
    in_progress_at: seconds(batch.beganAt),
    expires_at: seconds(batch.windowEndsAt),
    finalizing_at: seconds(batch.finalizingAt),
    completed_at: closedIn('completed'),
    failed_at: closedIn('failed'),
    expired_at: closedIn('expired'),
    cancelling_at: state === 'failed' ? null : seconds(batch.cancellingAt),
    cancelled_at: closedIn('cancelled'),
    request_counts: { total, completed: answered, failed },
    metadata,
  }
}

function seconds(at: Date | null): number | null {
  return at && Math.floor(at.getTime() / 1_000)
}
