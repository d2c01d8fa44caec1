// Serves a model, a file in GGUF, as OpenAI's API, and says where: node serve.mjs FILE
import { InferenceServer, createExpressServer } from 'inference-server'

const models = new InferenceServer({
  log: 'error',
  models: {
    small: { task: 'text-completion', engine: 'node-llama-cpp', location: process.argv[2], contextSize: 512, device: { gpu: false, cpuThreads: 1 } },
  },
})
await models.start()
const server = createExpressServer(models).listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port))
