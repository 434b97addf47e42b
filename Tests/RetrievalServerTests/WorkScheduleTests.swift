import RetrievalServer
import Testing

@Suite("The schedule of work")
struct WorkScheduleTests {
    @Test(
        "Queries go before uploads, uploads before the folder, each in the order in which it came")
    func order() {
        var schedule = WorkSchedule<String>()
        let jobs: [(String, WorkUrgency)] = [
            ("folder 1", .folder), ("upload 1", .upload), ("query 1", .query),
            ("folder 2", .folder), ("query 2", .query),
        ]
        for (number, job) in jobs.enumerated() {
            schedule.add(job.0, number: UInt64(number), job.1)
        }
        #expect(schedule.count == 5)
        let taken = (0..<6).map { _ in schedule.next() }
        #expect(taken == ["query 1", "query 2", "upload 1", "folder 1", "folder 2", nil])
    }

    @Test(
        "No work is passed over for ever, however much waits",
        arguments: [
            [WorkUrgency.query, .upload, .folder], [.query, .folder], [.query, .upload],
            [.upload, .folder],
        ])
    func fairness(_ urgencies: [WorkUrgency]) {
        var schedule = WorkSchedule<WorkUrgency>()
        var number: UInt64 = 0
        func add(_ urgency: WorkUrgency) {
            number += 1
            schedule.add(urgency, number: number, urgency)
        }
        urgencies.forEach(add)
        var turns: [WorkUrgency] = []
        for _ in 0..<120 {
            guard let turn = schedule.next() else { break }
            turns.append(turn)
            add(turn)
        }
        #expect(turns.count == 120)
        for urgency in urgencies {
            let places = turns.indices.filter { turns[$0] == urgency }
            let gaps = zip([-1] + places, places + [turns.count]).map { $1 - $0 }
            // A job has its turn once its patience ends, or right after another job that was due too.
            #expect((gaps.max() ?? 120) <= 6, "\(urgency): \(turns)")
        }
        // More urgent work has more turns.
        let counts = urgencies.map { urgency in turns.count { $0 == urgency } }
        #expect(counts == counts.sorted(by: >), "\(counts)")
    }

    @Test("Withdrawn work never has its turn, and no other work loses its own")
    func removal() {
        var schedule = WorkSchedule<Int>()
        for number in 0..<6 {
            schedule.add(number, number: UInt64(number), number % 2 == 0 ? .query : .folder)
        }
        schedule.remove(2)
        schedule.remove(3)
        schedule.remove(99)
        #expect(schedule.count == 4)
        #expect((0..<5).map { _ in schedule.next() } == [0, 4, 1, 5, nil])
    }
}
