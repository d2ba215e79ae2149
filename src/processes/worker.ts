import { systemClock } from '../kernel/clock.ts'
import { connect } from '../kernel/database/connect.ts'
import { createJobLog } from '../kernel/job-log.ts'
import { createLogger } from '../kernel/log.ts'
import { createReporter, type Reporter } from '../health/index.ts'
import { createStepLog, startWorker } from '../jobs/index.ts'
import { lanesByName } from '../labels/index.ts'
import { flushLedger, type QueueName, type StepCall, type StepOutput } from '../runs/index.ts'
import { callTool, createRegistry } from '../tools/index.ts'
import { allTools } from '../tools/all-tools.ts'
import { createToolbox } from '../tools/toolbox.ts'
import type { Boot, Host, Started } from './boot.ts'

const concurrency = 8
/** How often old lines are taken out of the files of the jobs. */
const pruneMs = 6 * 3_600_000

/** Executes runs: `worker-open` those that a cloud model may see, `worker-private` all others. */
export async function start(boot: Boot, host: Host): Promise<Started> {
  const log = createLogger({ name: boot.process })
  const open = boot.process === 'worker-open'
  const database = connect(boot.database, {
    application: boot.process, max: 4, onRefused: (code) => reporter.note('database.refused', boot.database.user, { code }),
  })
  const reporter: Reporter = createReporter({ database, clock: systemClock, log })
  const registry = createRegistry(allTools)
  const toolbox = await createToolbox({
    database,
    clock: systemClock,
    log,
    house: () => house,
    home: boot.home,
    folder: boot.folder,
    reader: boot.sockets.reader,
    gates: { local: boot.sockets.gateLocal, ...(boot.sockets.gateCloud !== '' && { cloud: boot.sockets.gateCloud }) },
  })
  let house = boot.house
  host.onHouse((changed) => {
    house = changed
  })

  async function callStep(call: StepCall): Promise<StepOutput> {
    const tool = registry.get(call.step.uses)
    if (tool.effect !== 'read') await flushLedger(database)
    try {
      return await callTool(tool, toolbox.contextFor(call), call.input)
    } catch (error) {
      reporter.fault(error, call.claim.job)
      throw error
    }
  }

  const jobLog = createJobLog({ folder: boot.folder, onFailure: (error) => log.warn({ err: error }, 'the log of a job could not be written') })
  const prune = () => void jobLog.prune(new Date(Date.now() - house.settings.retention.runLogMs))
  prune()
  const pruning = setInterval(prune, pruneMs)

  const worker = await startWorker(
    {
      database, log, clock: systemClock, callStep,
      onEnqueued: (name) => host.wake(workerOf(name)),
      onLogged: createStepLog({ jobLog, worker: open ? 'open' : 'private', lanes: () => lanesByName(house.lanes) }),
      onLeft: () => {
        host.wake('server')
        host.wake('releaser') // it may have proposed something
      },
    },
    { queue: open ? 'runs_open' : 'runs_private', executor: boot.instance, concurrency, pollMs: 1_000 },
  )
  host.onWake(worker.wake)
  return {
    async stop(deadlineMs) {
      clearInterval(pruning)
      await worker.stop(deadlineMs)
      await jobLog.settled()
      await toolbox.close()
      await reporter.close()
      await database.close()
    },
  }
}

function workerOf(queue: QueueName): 'worker-open' | 'worker-private' {
  return queue === 'runs_open' ? 'worker-open' : 'worker-private'
}
