// Wraps a model with @databuddy/sdk/ai/vercel, as a team does with one of its provider's, and calls it.
//   in:  { version, options }      out: { generated, streamed, failed, problems: [what the helper logged] }
import { read, print } from "./talk.mjs";

const { version, options } = await read();
const { databuddyLLM } = await import(`databuddy-${version}/ai/vercel`);
const problems = [];
console.error = (...words) => problems.push(words.map((word) => word?.message ?? word).join(" "));

const usage = { inputTokens: 7, outputTokens: 5, totalTokens: 12 };
const model = databuddyLLM({ ...options, computeCosts: false }).track({
  specificationVersion: "v2",
  provider: "openai.chat",
  modelId: "a-model",
  async doGenerate({ broken }) {
    if (broken) {
      throw new Error("the model is away");
    }
    return { content: [{ type: "text", text: "Hello." }], finishReason: "stop", usage };
  },
  async doStream() {
    const parts = [{ type: "text-delta", id: "1", delta: "Hello." }, { type: "finish", finishReason: "stop", usage }];
    const start = (controller) => [...parts.map((part) => controller.enqueue(part)), controller.close()];
    return { stream: new ReadableStream({ start }) };
  },
});

const prompt = [{ role: "user", content: [{ type: "text", text: "Hi" }] }];
const generated = (await model.doGenerate({ prompt })).content[0].text;
let streamed = "";
for await (const part of (await model.doStream({ prompt })).stream) {
  streamed += part.delta ?? "";
}
const failed = await model.doGenerate({ prompt, broken: true }).catch((error) => error.message);
process.once("beforeExit", () => print({ generated, streamed, failed, problems })); // the helper waits for no answer
