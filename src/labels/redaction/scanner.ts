import { hash, randomBytes } from 'node:crypto'
import { findAll } from '../detectors/detect.ts'
import { findEncoded } from '../detectors/encoded.ts'
import { scanText, type Detector, type Scan } from './scan-text.ts'

/** Scans texts by one set of rules. */
export interface Scanner {
  /** Of the rules, with their version. */
  readonly name: string
  scan(text: string): Scan
}

export interface ScannerOptions {
  /** Of the operator's own words. */
  readonly dictionary?: Detector | undefined
  /** Bytes that remembered scans may take; 0: every text is scanned anew. */
  readonly cacheBytes?: number
}

const name = 'castellan-2'
const sixteenMiB = 16 * 2 ** 20
/** Characters; to scan less costs as much as to remember it. */
const worthRemembering = 200
/** What an entry takes at least, and for each span: its key, the objects, their place in the map. */
const bytesOf = { entry: 250, span: 80 }

/**
 * A conversation repeats its beginning with each call, so what was scanned is remembered: by the SHA-256 of the text with a salt of this process,
 * and of it only where something stood and of what kind. Other rules are another scanner, which remembers nothing yet.
 */
export function createScanner({ dictionary, cacheBytes = sixteenMiB }: ScannerOptions = {}): Scanner {
  const seePlain: Detector = dictionary ? (text) => [...findAll(text), ...dictionary(text)] : findAll
  const see: Detector = (text) => [...seePlain(text), ...findEncoded(text, seePlain)]
  const salt = randomBytes(32).toString('base64')
  const remembered = new Map<string, Scan>()
  let bytes = 0

  const weight = ({ spans }: Scan) => bytesOf.entry + bytesOf.span * spans.length

  function remember(key: string, scan: Scan): void {
    remembered.set(key, scan)
    bytes += weight(scan)
    // those that were asked for longest ago are the first of the map
    for (const [oldest, its] of remembered) {
      if (bytes <= cacheBytes) return
      remembered.delete(oldest)
      bytes -= weight(its)
    }
  }

  return {
    name,
    scan(text) {
      if (text.length < worthRemembering || cacheBytes === 0) return scanText(text, see)
      // in UTF-8 two texts with broken characters could be one
      const key = hash('sha256', text.isWellFormed() ? salt + text : Buffer.from(salt + text, 'utf16le'), 'base64')
      const known = remembered.get(key)
      if (known) {
        remembered.delete(key)
        remembered.set(key, known)
        return known
      }
      const scan = scanText(text, see)
      remember(key, scan)
      return scan
    },
  }
}
