/** Which base image of this project a Dockerfile gets, by the image that it names. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { baseArguments } from "../../../tools/images/baseArguments.ts";

test("the default of the argument that a stage starts from says which", () => {
  const base = (image: string) => baseArguments(`ARG BASE=${image}\nFROM \${BASE}\n`, "nginx")["BASE"];
  const digest = `@sha256:${"0".repeat(64)}`;
  for (const [image, expected] of [
    [`gcr.io/distroless/nodejs24-debian13:nonroot${digest}`, "node"],
    ["node", "node"],
    ["localhost:5000/acme/our-node:24-alpine", "node"],
    [`nginxinc/nginx-unprivileged:1.30.5-alpine${digest}`, "nginx"],
    ["python:3.13-slim", "python"],
    ["gcr.io/distroless/python3-debian13", "python"],
    ['"python:3.13"', "python"],
    ["golang:1.26", "go"],
    ["cgr.dev/chainguard/go:latest", "go"],
    ["gcr.io/distroless/static-debian13:nonroot", "scratch"],
    ["cgr.dev/chainguard/static", "scratch"],
    // What a registry, a folder or a tag is called does not count.
    ["node.example.com/python/ruby:3-node", undefined],
    ["google/cloud-sdk", undefined],
    ["django:5", undefined],
    ["eclipse-temurin:25", undefined],
  ] as const)
    assert.equal(base(image), expected, image);
});

test("every stage counts; an argument without a default, and what no stage starts from, do not decide", () => {
  const of = (dockerfile: string) => baseArguments(dockerfile, "node");
  const go = "ARG GO=golang:1\n# why\narg BASE=static\nFROM --platform=linux/amd64 ${GO} AS build\nfrom $BASE\n";
  assert.deepEqual(of(go), { GO: "go", BASE: "scratch" });
  assert.deepEqual(of("ARG BASE\nFROM ${BASE}\n"), { BASE: "node" });
  assert.deepEqual(of("ARG BASE=ruby:3\nFROM ${BASE}\n"), {});
  assert.deepEqual(of("ARG TOOL=node-exporter\nFROM scratch\nARG BASE=node\nCOPY ${BASE} /\n"), {});
  assert.deepEqual(of("ARG VERSION=24\nFROM node:${VERSION} AS build\nFROM build\n"), {});
  assert.deepEqual(of("FROM scratch\nARG BASE=node\nFROM ${BASE}\n"), {}, "declared too late for Docker, too");
});

test("the Dockerfiles of this project get what their names say", () => {
  const files = ["nginx/Dockerfile", "services/sample/Dockerfile", "tools/addService/template/*/*/Dockerfile"];
  const found = globSync(files, { cwd: projectDir }).sort();
  const bases = found.map((file) => [file, baseArguments(readFileSync(join(projectDir, file), "utf8"), "node")]);
  assert.deepEqual(Object.fromEntries(bases), {
    "nginx/Dockerfile": { BASE: "nginx" },
    "services/sample/Dockerfile": { BASE: "node" },
    "tools/addService/template/go/web/Dockerfile": { GO: "go", BASE: "scratch" },
    "tools/addService/template/go/worker/Dockerfile": { GO: "go", BASE: "scratch" },
    "tools/addService/template/node/web/Dockerfile": { BASE: "node" },
    "tools/addService/template/node/worker/Dockerfile": { BASE: "node" },
    "tools/addService/template/python/web/Dockerfile": { BASE: "python" },
    "tools/addService/template/python/worker/Dockerfile": { BASE: "python" },
  });
});
