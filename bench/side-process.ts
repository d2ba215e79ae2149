import type { Answer, OpenSide, Question, Side } from './side.ts'

// The process of one side: `side-process.ts MODULE`, questions and answers over IPC.
const { open } = (await import(`./${process.argv[2]}`)) as { open: OpenSide }
let side: Side | undefined

async function answer(question: Question): Promise<unknown> {
  if (question.verb === 'open') {
    side = await open(question.database)
    return undefined
  }
  return question.verb === 'measure' ? side!.measure(question.concurrency, question.milliseconds) : side!.close()
}

process.on('message', (question: Question) => {
  const said = answer(question).then(
    (data): Answer => ({ ok: true, data }),
    (error: Error): Answer => ({ ok: false, error: error.stack ?? error.message }),
  )
  void said.then((message) => process.send!(message))
})
process.on('disconnect', () => process.exit(0))
