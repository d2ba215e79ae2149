import type { Database } from '../../kernel/database/connect.ts'
import { faultPoint } from '../../kernel/fault-point.ts'
import { Fault } from '../../kernel/fault.ts'
import { newId } from '../../kernel/ids.ts'
import type { GateName, Label } from '../../labels/index.ts'
import { mostBytes } from './split-lines.ts'

export interface FileRow {
  readonly id: string
  readonly holds: 'input' | 'answers' | 'errors'
  readonly batch: string | null
  readonly name: string
  readonly bytes: number
  readonly madeAt: Date
}

export interface NewFile {
  readonly key: string
  readonly label: Label
  readonly name: string
  readonly now: Date
}

/** Bytes of all files of a key, so that nobody fills the disk. */
const mostKept = 2 * 1024 ** 3
const mostAtOnce = 4
const pageBytes = 4 * 1024 * 1024
const pageLines = 500

const columns = 'id, holds, batch_id as batch, name, bytes::float8 as bytes, made_at as "madeAt"'

/** The files of one gate. A key sees its own. */
export function createFileStore({ database: { pool, transaction }, gate }: { database: Pick<Database, 'pool' | 'transaction'>; gate: GateName }) {
  /** The bodies of lines, in pages that can be held. `text` selects number and body behind $2, of $1. */
  async function* pages<T extends string | Buffer>(text: string, of: string): AsyncGenerator<readonly { number: number; body: T }[], void, void> {
    for (let last = 0; ; ) {
      const { rows } = await pool.query<{ number: number; body: T }>(
        `select number, body from (
           select number, body, sum(octet_length(body)) over (order by number) - octet_length(body) as before from (${text} order by number limit ${pageLines}) as line
         ) as page where before < ${pageBytes} order by number`,
        [of, last],
      )
      if (rows.length === 0) return
      yield rows
      last = rows.at(-1)!.number
    }
  }

  return {
    /** The row of a file that is being sent in. @throws Fault `files.full`, `label_refused` */
    async begin({ key, label, name, now }: NewFile): Promise<string> {
      const id = newId()
      const { rowCount } = await pool.query(beginText, [id, key, gate, name, now, label.level, label.integrity, label.lanes, mostKept - mostBytes, mostAtOnce]).catch(refusedByLabel)
      if (rowCount === 0) throw new Fault('refused', 'files.full', `this key keeps ${mostKept / 1024 ** 3} GB of files, or sends in ${mostAtOnce} at once; delete what is done with`)
      return id
    },

    /** Lines of such a file, the first of them with this number. */
    async append(id: string, first: number, lines: readonly Buffer[]): Promise<void> {
      const { rowCount } = await pool.query({ name: 'batch-file-append', text: appendText, values: [id, first - 1, lines] }).catch(refusedByLabel)
      if (rowCount !== lines.length) throw new Fault('conflict', 'files.gone', 'this file was removed while it was sent in; send it again')
    },

    async finish(id: string, bytes: number, lines: number): Promise<FileRow> {
      faultPoint('batch.file:before')
      const { rows } = await pool.query<FileRow>(`update batch_file set state = 'whole', bytes = $2, lines = $3 where id = $1 returning ${columns}`, [id, bytes, lines])
      if (!rows[0]) throw new Fault('conflict', 'files.gone', 'this file was removed while it was sent in; send it again')
      return rows[0]
    },

    async discard(id: string): Promise<void> {
      await pool.query(`delete from batch_file where id = $1 and state = 'open'`, [id])
    },

    /** At the start: what a gate that died was being sent. */
    async recover(): Promise<void> {
      await pool.query(`delete from batch_file where gate = $1 and state = 'open'`, [gate])
    },

    async find(key: string, id: string): Promise<FileRow | undefined> {
      const { rows } = await pool.query<FileRow>(`select ${columns} from batch_file where id = $1 and key_id = $2 and state = 'whole'`, [id, key])
      return rows[0]
    },

    /** The newest first, behind `after`. */
    async list(key: string, { holds, after, limit }: { holds: readonly string[]; after: string | null; limit: number }): Promise<FileRow[]> {
      const { rows } = await pool.query<FileRow>(`
        select ${columns} from batch_file f where key_id = $1 and state = 'whole' and holds = any ($2)
          and ($3::uuid is null or (made_at, id) < (select made_at, id from batch_file where id = $3 and key_id = $1))
        order by made_at desc, id desc limit $4`, [key, holds, after, limit])
      return rows
    },

    /** `in_use`: a batch that is not closed reads it. */
    async remove(key: string, id: string): Promise<'removed' | 'missing' | 'in_use'> {
      return transaction(async (client) => {
        // whoever opens a batch of it meanwhile waits for this, or this for him
        const { rows } = await client.query<FileRow>(`select ${columns} from batch_file where id = $1 and key_id = $2 and state = 'whole' for update`, [id, key])
        const [file] = rows
        if (!file) return 'missing'
        const { rowCount } = await client.query('delete from batch_file where id = $1 and not exists (select 1 from batch where input_file_id = $1 and closed_at is null)', [id])
        if (rowCount === 0) return 'in_use'
        if (file.batch !== null) await client.query(`update batch_line set answer = null where batch_id = $1 and state = $2`, [file.batch, stateOf(file)])
        return 'removed'
      })
    },

    /** The lines of an input, from the first on. */
    input: (id: string) => pages<Buffer>('select number, body from batch_file_line where file_id = $1 and number > $2', id),

    /** The bytes of a file. */
    async *content(file: FileRow): AsyncGenerator<string | Buffer, void, void> {
      if (file.batch === null) {
        for await (const page of pages<Buffer>('select number, body from batch_file_line where file_id = $1 and number > $2', file.id)) {
          yield Buffer.concat(page.flatMap(({ number, body }) => (number === 1 ? [body] : [Buffer.of(10), body])))
        }
        return
      }
      const text = `select number, answer as body from batch_line where batch_id = $1 and number > $2 and state = '${stateOf(file)}' and answer is not null`
      for await (const page of pages<string>(text, file.batch)) yield page.map(({ body }) => `${body}\n`).join('')
    },
  }
}
export type FileStore = ReturnType<typeof createFileStore>

function stateOf({ holds }: FileRow): 'answered' | 'failed' {
  return holds === 'answers' ? 'answered' : 'failed'
}

const insufficientPrivilege = '42501'

/** Row security has the last word: a key or a lane may have lost what it had a moment ago. */
export function refusedByLabel(error: { code?: string }): never {
  if (error.code !== insufficientPrivilege) throw error
  throw new Fault('refused', 'label_refused', 'the label of this is higher than its key is good for, or than its lane shows the models of this gate; send it in with a key that may carry it')
}

const beginText = `
  insert into batch_file (id, key_id, gate, holds, name, made_at, label_level, label_integrity, label_lanes)
  select $1, $2, $3, 'input', $4, $5, $6, $7, $8
  where (select coalesce(sum(bytes), 0) from batch_file where key_id = $2) <= $9 and (select count(*) from batch_file where key_id = $2 and state = 'open') < $10`

const appendText = `
  insert into batch_file_line (file_id, number, gate, body, label_level, label_integrity, label_lanes)
  select f.id, $2::integer + l.place, f.gate, l.body, f.label_level, f.label_integrity, f.label_lanes
  from batch_file f cross join unnest($3::bytea[]) with ordinality as l(body, place) where f.id = $1 and f.state = 'open'`
