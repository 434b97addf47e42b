import Testing
import Torch

@Suite("L-BFGS")
struct LBFGSTests {
    @Test("Finds the minimum of a badly scaled quadratic function")
    func quadratic() throws {
        let scales = Tensor([1, 10, 100, 1000, 1e4] as [Double])
        let centre = Tensor([1, -2, 3, -4, 5] as [Double])
        let found = try LBFGS().minimize(from: .zeros([5], dtype: .float64)) { x in
            let errors = x - centre
            return ((errors * errors * scales).sum().scalar() / 2, errors * scales)
        }
        #expect(found.isConverged && found.gradientSize <= 1e-6)
        #expect(found.point.isClose(to: centre, relative: 0, absolute: 1e-6))
        #expect(found.iterations < 60)
    }

    @Test("Follows the curved valley of Rosenbrock's function")
    func rosenbrock() throws {
        var calls = 0
        let start = Tensor([-1.2, 1] as [Double])
        let found = try LBFGS().minimize(from: start) { point in
            calls += 1
            let values: [Double] = point.values()
            let (x, y) = (values[0], values[1])
            let valley = y - x * x
            return (
                100 * valley * valley + (1 - x) * (1 - x),
                Tensor([-400 * x * valley - 2 * (1 - x), 200 * valley])
            )
        }
        #expect(found.isConverged)
        #expect(found.point.isClose(to: .ones([2], dtype: .float64), relative: 0, absolute: 1e-5))
        #expect(calls < 100)
    }

    @Test("Ends where no step is possible, and where the steps are used up")
    func ends() throws {
        // The minimum itself.
        let still = try LBFGS().minimize(from: .zeros([2], dtype: .float64)) { x in
            ((x * x).sum().scalar(), x * 2)
        }
        #expect(still.isConverged && still.iterations == 0)
        // A gradient that points the wrong way.
        let wrong = try LBFGS().minimize(from: .ones([2], dtype: .float64)) { x in
            ((x * x).sum().scalar(), x * -2)
        }
        #expect(!wrong.isConverged && wrong.value == 2)
        var short = LBFGS()
        short.maximumIterations = 2
        let cut = try short.minimize(from: Tensor([1, 0.7] as [Double])) { x in
            ((x * x * x * x).sum().scalar(), x * x * x * 4)
        }
        #expect(!cut.isConverged && cut.iterations == 2 && cut.value < 1.24)
    }

    @Test("Passes on the errors of the function")
    func errors() {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try LBFGS().minimize(from: .zeros([1], dtype: .float64)) { _ in throw Stop() }
        }
    }
}
