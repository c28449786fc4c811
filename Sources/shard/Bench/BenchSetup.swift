import Devices
import Foundation
import Inference
import Measuring
import ShardKit
import Sharding
import Terminal

/// The models of a benchmark, and how each of them is run.
struct BenchSetup {
    private struct Subject {
        var description: SubjectDescription
        var work: ModelWork
        var benchmark: any BenchmarkSubject
    }

    private let subjects: [Subject]

    /// Rows of a step, as engines have it.
    private static let rowsMax = 256

    static func open(_ paths: [String], _ options: BenchOptions) async throws -> BenchSetup {
        let names = paths.map { URL(filePath: $0).lastPathComponent }
        var subjects: [Subject] = []
        for (path, name) in zip(paths, names) {
            let isOnly = names.filter { $0 == name }.count == 1
            for mode in options.mode.modes {
                // Anew for each: a mode that reads the file does not map it.
                let model = try await open(path, mode)
                try check(options.tests, fit: model)
                for threads in options.threadCounts {
                    subjects.append(
                        Subject(
                            description: SubjectDescription(
                                model: isOnly ? model.file.name : path, bytes: model.file.byteCount,
                                types: SubjectDescription.types(of: model.file), mode: mode, threads: threads,
                                kvType: options.kvType.rawValue),
                            work: ModelWork(of: model.file, as: model.spec, cacheType: options.kvType.element),
                            benchmark: try subject(model, mode, threads: threads, options)))
                }
            }
        }
        return BenchSetup(subjects: subjects)
    }

    private static func open(_ path: String, _ mode: BenchmarkMode) async throws -> OpenedModel {
        do {
            return try await OwnThread.run { _ throws(ShardKitError) in
                try OpenedModel(path: path, hashes: mode == .memoryEfficient ? .rememberedFirst : .remembered)
            }
        } catch {
            throw ProgramError(.configuration, error.description)
        }
    }

    private static func check(_ tests: [BenchmarkTest], fit model: OpenedModel) throws {
        let contextLength = model.spec.contextLength
        guard let wrong = tests.first(where: { $0.positionCount > contextLength }) else { return }
        throw ProgramError(
            .configuration,
            "\(model.file.name): \(wrong.name): expected at most \(contextLength) positions, which the model was made "
                + "for, got \(wrong.positionCount)")
    }

    private static func subject(
        _ model: OpenedModel, _ mode: BenchmarkMode, threads: Int, _ options: BenchOptions
    ) throws -> any BenchmarkSubject {
        switch mode {
        case .simple:
            return SimpleSubject(
                model, cpu: cpu(threads, options), cacheType: options.kvType.element, rowsMax: Self.rowsMax)
        case .memoryEfficient:
            do {
                return try StreamedSubject(
                    model, cpu: cpu(threads, options), cacheType: options.kvType.element,
                    budgetBytes: options.memoryBudget?.bytes, tests: options.tests)
            } catch {
                throw ProgramError(.configuration, "--mode memory-efficient: \(error)")
            }
        case .distributed:
            do {
                return try DistributedSubject(
                    model, threads: threads, cpus: options.cpus?.cores ?? [], cacheType: options.kvType.element,
                    rowsMax: Self.rowsMax, tests: options.tests)
            } catch {
                throw ProgramError(.configuration, "--mode distributed: \(error)")
            }
        }
    }

    private static func cpu(_ threads: Int, _ options: BenchOptions) -> CPUDeviceOptions {
        CPUDeviceOptions(threads: threads, cpus: options.cpus?.cores ?? []).withEnvironment()
    }

    /// The machine and its limits, without results.
    func measureMachine(_ options: BenchOptions) async throws -> BenchmarkReport {
        let cpu = Self.cpu(1, options)
        let threads = options.threadCounts
        let effort = options.limits.effort
        do {
            return try await OwnThread.run { _ throws(DeviceError) in
                try BenchmarkReport(machineOf: cpu, threads: threads, effort: effort)
            }
        } catch {
            throw ProgramError(.configuration, error.description)
        }
    }

    func measureModels(
        _ options: BenchOptions, _ program: ProgramOptions, into report: inout BenchmarkReport
    ) async throws {
        guard !subjects.isEmpty else { return }
        let tests = options.tests
        let visits = BenchmarkSchedule.visits(
            subjectCount: subjects.count,
            tests: tests.indices.sorted { tests[$0].positionCount < tests[$1].positionCount },
            warmUps: options.warmUp, repetitions: options.repetitions, isInterleaved: options.interleave)
        let descriptions = subjects.map(\.description)
        let progress = BenchProgress(isShown: !program.quiet)
        let outcomes = try await BenchmarkDriver.run(visits, subjects: subjects.map(\.benchmark), tests: tests) {
            state in
            progress.show(state, of: descriptions[state.subject], tests[state.run.test])
        }
        progress.end()
        for (subject, outcomes) in zip(subjects, outcomes) {
            let limits = report.limits.first { $0.threads == subject.description.threads }
            for (test, outcome) in zip(tests, outcomes) {
                report.results.append(
                    BenchmarkReport.Result(
                        subject.description, test, outcome,
                        work: subject.work.work(of: test, rowsMax: Self.rowsMax), limits: limits))
            }
        }
    }
}
