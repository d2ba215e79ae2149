import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, visit, type Document, type Node } from 'yaml'
import type { Problem } from './problem.ts'

export type Path = readonly PropertyKey[]

/** A YAML file that could be read, and where in it everything stands. */
export interface YamlSource {
  readonly file: string
  readonly value: unknown
  /** The problem at a value, or at its key; at the nearest thing above it when it is not written. */
  problem(path: Path, what: string, instead: string, options?: { at?: 'key' | 'value'; severity?: Problem['severity']; line?: number }): Problem
  /** The place of a value that is written, or nothing. */
  place(path: Path): { line: number; column: number } | undefined
}

const advice: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with two spaces',
  DUPLICATE_KEY: 'keep one of them',
  BAD_INDENT: 'indent everything on one level by the same number of spaces',
  MULTIPLE_DOCS: 'one file holds one document; remove the line ---',
  MISSING_CHAR: 'close the quote or the bracket that is open',
  BLOCK_AS_IMPLICIT_KEY: 'put quotes around a text that contains ": "',
  MULTILINE_IMPLICIT_KEY: 'check the indentation and the colons of the lines before',
}

/** Reads one YAML file. Aliases and tags are refused: a file that has to be expanded cannot be read by eye, and can be made to explode. */
export function readYaml(file: string, text: string): { source?: YamlSource; problems: Problem[] } {
  const lines = new LineCounter()
  const at = (offset: number, what: string, instead: string): Problem => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), severity: 'error', what, instead }
  }
  let documents: Document[]
  try {
    documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: false, version: '1.2' }) as Document[]
  } catch {
    return { problems: [at(0, 'this is not YAML that can be read: it is nested too deeply', 'write it with less nesting')] }
  }
  const [document] = documents
  if (!document) return { source: createSource(file, undefined, lines), problems: [] }
  const problems = [...document.errors, ...document.warnings].map((error) =>
    at(error.pos[0], `this is not valid YAML: ${error.message}`, advice[error.code] ?? 'correct the line'))
  if (documents.length > 1) problems.push(at(documents[1]!.range?.[0] ?? 0, 'there is more than one document', advice['MULTIPLE_DOCS']!))
  visit(document, {
    Alias: (_, node) => void problems.push(at(node.range?.[0] ?? 0, `aliases such as *${node.source} are not read here`, 'write the value out')),
    Pair: (_, pair) => {
      if (!isScalar(pair.key) || typeof pair.key.value !== 'string') {
        problems.push(at(isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0, 'a key has to be a text', 'put quotes around it'))
      }
    },
  })
  return problems.length > 0 ? { problems } : { source: createSource(file, document, lines), problems }
}

function createSource(file: string, document: Document | undefined, lines: LineCounter): YamlSource {
  const root = (document?.contents ?? null) as Node | null
  const position = (node: unknown) => {
    const offset = isNode(node) ? node.range?.[0] : undefined
    if (offset === undefined) return undefined
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  return {
    file,
    value: document?.toJS({ maxAliasCount: 0 }),
    place: (path) => {
      const { node, key, depth } = descend(root, path)
      return depth === path.length ? position(key ?? node) : undefined
    },
    problem(path, what, instead, { at = 'value', severity = 'error', line = 0 } = {}) {
      const { node, key, depth } = descend(root, path)
      const place = position(at === 'key' || depth < path.length ? (key ?? node) : (node ?? key)) ?? { line: 1, column: 1 }
      return { file, line: place.line + line, column: place.column, severity, what, instead }
    },
  }
}

/** As far as the path is written: the node there, and its key when it is in a map. */
function descend(root: Node | null, path: Path): { node: Node | null; key: unknown; depth: number } {
  let node = root
  let key: unknown
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part)
      if (!isPair(pair)) return { node, key, depth }
      key = pair.key
      node = pair.value as Node | null
    } else if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
      key = undefined
      node = node.items[part] as Node
    } else {
      return { node, key, depth }
    }
    if (isAlias(node)) return { node, key, depth: depth + 1 }
  }
  return { node, key, depth: path.length }
}
