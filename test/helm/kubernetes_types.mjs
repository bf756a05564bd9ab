// Checks manifests against Kubernetes' types: `node --input-type=module - FILE.json < kubernetes_types.mjs`, FILE a JSON list of
// objects, in a folder with the validators' node_modules (imports of a script from standard input are looked up from there). Prints one problem a line; exit 1 when there are any.
//
// Layer 1, kubernetes-models (Kubernetes 1.27 and the two operators' types): wrong types, missing fields, words that are none of an
// enumeration. Layer 2, the client's models (1.34): unknown, so misspelt, fields at any depth.
import { readFileSync } from 'node:fs';

const client = await import('@kubernetes/client-node');

// Newer than both layers.
const NEWER = new Set([]);

async function modelOf({ apiVersion, kind }) {
  const [group] = apiVersion.split('/');
  const home = group === 'monitoring.coreos.com' ? '@kubernetes-models/prometheus-operator'
    : group === 'gateway.networking.k8s.io' ? '@kubernetes-models/gateway-api'
    : 'kubernetes-models';
  return (await import(`${home}/${apiVersion}/${kind}`))[kind];
}

function unknownFields(value, type, path, out) {
  if (value === null || typeof value !== 'object') return;
  const list = /^Array<(.*)>$/.exec(type);
  if (list) {
    value.forEach((item, i) => unknownFields(item, list[1], `${path}[${i}]`, out));
    return;
  }
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) {
    for (const [key, item] of Object.entries(value)) unknownFields(item, map[1], `${path}.${key}`, out);
    return;
  }
  const model = client[type];
  if (!model || typeof model.getAttributeTypeMap !== 'function') return;
  const fields = new Map(model.getAttributeTypeMap().map((field) => [field.baseName, field.type]));
  for (const [key, item] of Object.entries(value)) {
    if (!fields.has(key) && !NEWER.has(key)) out.push(`${path}.${key}: unknown field of ${type}`);
    else if (fields.has(key)) unknownFields(item, fields.get(key), `${path}.${key}`, out);
  }
}

let bad = 0;
for (const object of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const where = `${object.kind} ${object.metadata?.name}`;
  const problems = [];
  try {
    const Model = await modelOf(object);
    new Model(object).validate();
  } catch (error) {
    problems.push(String(error.message));
  }
  const version = object.apiVersion.split('/').pop();
  const type = `${version[0].toUpperCase()}${version.slice(1)}${object.kind}`;
  unknownFields(object, type, '', problems);
  for (const problem of problems) {
    console.log(`${where}: ${problem}`);
    bad = 1;
  }
}
process.exit(bad);
