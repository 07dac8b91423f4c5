import Testing

@testable import Evaluate
