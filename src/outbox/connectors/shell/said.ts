/** What a program said, to be shown: on one line. */
export function said(stderr: Buffer): string {
  return stderr.toString('utf8').replace(/[^\p{L}\p{N}\p{P}\p{S}\p{Zs}]+/gu, ' ').trim().slice(0, 300).toWellFormed() || 'nothing was said'
}
