// Writes the objects of a JSON file ([[object, …], …], one inner list per file) with cdk8s: node main.js IN OUT
const fs = require("node:fs");
const { ApiObject, App, Chart, YamlOutputType } = require("cdk8s");

const [input, outdir] = process.argv.slice(2);
const app = new App({ outdir, yamlOutputType: YamlOutputType.FILE_PER_CHART });

JSON.parse(fs.readFileSync(input, "utf8")).forEach((objects, file) => {
  const chart = new Chart(app, `file-${file}`);
  objects.forEach((object, index) => new ApiObject(chart, `object-${index}`, object));
});

app.synth();
