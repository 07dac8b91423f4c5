import Basics

// Operators, members and calls, as Python has them.
extension TemplateEvaluator {
    func unary(_ mark: String, _ value: TemplateValue) throws -> TemplateValue {
        if mark == "not" { return .bool(!value.isTrue) }
        try refuseUndefined(value)
        if let integer = value.integer, integer != .min {
            return .integer(mark == "-" ? -integer : integer)
        }
        guard let number = value.number else {
            throw failure("'\(mark)' before \(value.kindName)")
        }
        return .number(mark == "-" ? -number : number)
    }

    func binary(_ mark: String, _ a: TemplateValue, _ b: TemplateValue) throws -> TemplateValue {
        try refuseUndefined(a)
        try refuseUndefined(b)
        switch (mark, a, b) {
        case ("+", .text(var a), .text(let b)):
            a.append(b)
            return try made(.text(a))
        case ("+", .list(let a), .list(let b)) where a.isTuple == b.isTuple:
            return try made(.list(.init(a.items + b.items, isTuple: a.isTuple)))
        case ("*", .text(let text), _) where b.integer != nil:
            return try made(.text(TemplateText(repeated(text.scalars, b.integer ?? 0, cost: 1))))
        case ("*", .list(let list), _) where b.integer != nil:
            return try self.list(repeated(list.items, b.integer ?? 0, cost: 8))
        case ("%", .text, _): throw failure("formatting by '%' is not supported")
        default: break
        }
        if let a = a.integer, let b = b.integer, mark != "/", !(mark == "**" && b < 0) {
            return .integer(try whole(mark, a, b))
        }
        if let a = a.number, let b = b.number {
            let value = try fraction(mark, a, b)
            guard value.isFinite else { throw failure("a number is out of range") }
            return .number(value)
        }
        throw failure("'\(mark)' between \(a.kindName) and \(b.kindName)")
    }

    private func repeated<T>(_ items: [T], _ times: Int, cost: Int) throws -> [T] {
        let (total, overflow) = items.count.multipliedReportingOverflow(by: max(times, 0))
        try spend(overflow ? .max : min(total, 1 << 40) * cost)
        return Array(repeatElement(items, count: items.isEmpty ? 0 : max(times, 0)).joined())
    }

    private func whole(_ mark: String, _ a: Int, _ b: Int) throws -> Int {
        var (result, overflow) = (0, false)
        switch mark {
        case "+": (result, overflow) = a.addingReportingOverflow(b)
        case "-": (result, overflow) = a.subtractingReportingOverflow(b)
        case "*": (result, overflow) = a.multipliedReportingOverflow(by: b)
        case "//", "%":
            guard b != 0 else { throw failure("division by zero") }
            // Rounded down, so that the remainder has the divisor's sign.
            let (quotient, isTooLarge) = a.dividedReportingOverflow(by: b)
            guard !isTooLarge else { throw failure("a number is out of range") }
            let rest = a % b
            let isBelow = rest != 0 && (rest < 0) != (b < 0)
            result = mark == "%" ? rest + (isBelow ? b : 0) : quotient - (isBelow ? 1 : 0)
        case "**":
            result = 1
            // Powers of -1, 0 and 1 alone could take long.
            let times = (-1...1).contains(a) ? b % 2 + (b > 0 ? 2 : 0) : b
            for _ in 0..<times where !overflow {
                (result, overflow) = result.multipliedReportingOverflow(by: a)
            }
        default: throw failure("unknown operator '\(mark)'")
        }
        guard !overflow else { throw failure("a number is out of range") }
        return result
    }

    private func fraction(_ mark: String, _ a: Double, _ b: Double) throws -> Double {
        switch mark {
        case "+": return a + b
        case "-": return a - b
        case "*": return a * b
        case "/", "//", "%":
            guard b != 0 else { throw failure("division by zero") }
            let quotient = a / b
            if mark == "/" { return quotient }
            let rest = a.truncatingRemainder(dividingBy: b)
            let isBelow = rest != 0 && (rest < 0) != (b < 0)
            return mark == "%" ? rest + (isBelow ? b : 0) : quotient.rounded(.down)
        default: throw failure("'**' is supported between whole numbers only")
        }
    }

    func compare(_ mark: String, _ a: TemplateValue, _ b: TemplateValue) throws -> Bool {
        switch mark {
        case "==", "!=":
            try spend(min(a.extent.size, b.extent.size))
            return a.equals(b) == (mark == "==")
        case "in": return try contains(b, a)
        case "not in": return try !contains(b, a)
        case "<": return try isBelow(a, b)
        case ">": return try isBelow(b, a)
        case "<=": return try a.equals(b) || isBelow(a, b)
        case ">=": return try a.equals(b) || isBelow(b, a)
        default: throw failure("unknown operator '\(mark)'")
        }
    }

    /// Whether `a` comes before `b`.
    func isBelow(_ a: TemplateValue, _ b: TemplateValue) throws -> Bool {
        try refuseUndefined(a)
        try refuseUndefined(b)
        try spend(min(a.extent.size, b.extent.size))
        if let a = a.integer, let b = b.integer { return a < b }
        if let a = a.number, let b = b.number { return a < b }
        switch (a, b) {
        case (.text(let a), .text(let b)): return a < b
        case (.list(let a), .list(let b)) where a.isTuple == b.isTuple:
            for (x, y) in zip(a.items, b.items) where !x.equals(y) { return try isBelow(x, y) }
            return a.items.count < b.items.count
        default: throw failure("\(a.kindName) and \(b.kindName) have no order")
        }
    }

    private func contains(_ container: TemplateValue, _ item: TemplateValue) throws -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = item else {
                throw failure("\(item.kindName) in text; expected text")
            }
            try spendOnSearch(for: part, in: text)
            return text.contains(part)
        case .map(let map):
            try spendOnLookup(of: item, in: map)
            return map[item] != nil
        default:
            return try items(of: container).contains { other in
                try spend(min(other.extent.size, item.extent.size))
                return other.equals(item)
            }
        }
    }

    func spendOnSearch(for part: TemplateText, in text: TemplateText) throws {
        let (steps, overflow) = text.count.multipliedReportingOverflow(by: 1 + part.count / 16)
        try spend(overflow ? .max : steps)
    }

    func refuseUndefined(_ value: TemplateValue) throws {
        if case .undefined(let name) = value {
            throw failure("'\(name.shortened(to: 80))' is undefined")
        }
    }

    /// What a loop over a value goes through.
    func items(of value: TemplateValue) throws -> [TemplateValue] {
        switch value {
        case .undefined: return []
        case .list(let list): return list.items
        case .map(let map):
            try spend(8 * map.entries.count)
            return map.entries.map(\.key)
        case .text(let text):
            try spend(8 * text.count)
            return text.scalars.map { .text(TemplateText([$0])) }
        case .iterator(let iterator): return iterator.takeAll()
        default: throw failure("\(value.kindName) cannot be gone through")
        }
    }
}

// Members and calls.
extension TemplateEvaluator {
    /// A member by its name, as in `value.name`.
    func attribute(_ name: String, of value: TemplateValue) throws -> TemplateValue {
        try refuseUndefined(value)
        if try hasMethod(name, value) { return try made(.method(TemplateMethod(value, name))) }
        switch value {
        case .map(let map):
            try spend(map.entries.count)
            return map[name] ?? .undefined(name)
        case .namespace(let namespace):
            try spend(namespace.values.entries.count)
            return namespace.values[name] ?? .undefined(name)
        case .loop(let loop): return loop.member(name) ?? .undefined("loop.\(name)")
        default: return .undefined(name)
        }
    }

    /// An item, as in `owner[index]`.
    func item(_ index: TemplateValue, of owner: TemplateValue) throws -> TemplateValue {
        try refuseUndefined(owner)
        switch (owner, index.integer) {
        case (.list(let list), let index?):
            return place(index, in: list.items.count).map { list.items[$0] }
                ?? .undefined("item \(index)")
        case (.text(let text), let index?):
            return place(index, in: text.count).map { .text(text.slice($0..<$0 + 1)) }
                ?? .undefined("character \(index)")
        case (.map(let map), _):
            try spendOnLookup(of: index, in: map)
            if let value = map[index] { return value }
        default: break
        }
        guard let name = index.string else { return .undefined("an item") }
        return try attribute(name, of: owner)
    }

    private func place(_ index: Int, in count: Int) -> Int? {
        let place = index < 0 ? count + index : index
        return (0..<count).contains(place) ? place : nil
    }

    /// A slice, as in `owner[from:to:step]`.
    func slice(_ owner: TemplateValue, _ bounds: [TemplateValue?]) throws -> TemplateValue {
        try refuseUndefined(owner)
        let numbers = try bounds.map { bound -> Int? in
            switch bound {
            case nil, .some(.null): return nil
            case .some(let value):
                guard let integer = value.integer else {
                    throw failure("\(value.kindName) as the bound of a slice")
                }
                return integer
            }
        }
        let step = numbers[2] ?? 1
        guard step != 0 else { throw failure("a slice with a step of 0") }
        func picked<T>(_ items: [T]) -> [T] {
            let count = items.count
            // Python's rule: bounds count from the end where negative, and are then cut off.
            let (low, high) = step > 0 ? (0, count) : (-1, count - 1)
            func bound(_ value: Int?, _ missing: Int) -> Int {
                guard let value else { return missing }
                return min(max(value < 0 ? max(value, -count - 1) + count : value, low), high)
            }
            let start = bound(numbers[0], step > 0 ? low : high)
            let end = bound(numbers[1], step > 0 ? high : low)
            let stride = max(min(step, count + 1), -count - 1)
            return Swift.stride(from: start, to: end, by: stride).map { items[$0] }
        }
        switch owner {
        case .text(let text): return try made(.text(TemplateText(picked(text.scalars))))
        case .list(let list):
            return try made(.list(.init(picked(list.items), isTuple: list.isTuple)))
        default: return .undefined("a slice")
        }
    }

    func call(_ function: TemplateValue, _ arguments: CallArguments) throws -> TemplateValue {
        switch function {
        case .macro(let macro): return try call(macro, arguments)
        case .function(let function): return try call(function, arguments)
        case .method(let method): return try call(method, arguments)
        case .undefined(let name): throw failure("'\(name)' is not there to be called")
        default: throw failure("\(function.kindName) cannot be called")
        }
    }

    private func call(_ function: TemplateFunction, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        func bound(_ names: [String]) throws -> [TemplateValue?] {
            try arguments.bound(to: names, of: function.rawValue, failure)
        }
        switch function {
        case .range:
            let given = try bound(["start", "stop", "step"]).compactMap(\.self).map { value in
                guard let integer = value.integer else {
                    throw failure("'range' of \(value.kindName)")
                }
                return integer
            }
            guard let first = given.first else { throw failure("'range' of nothing") }
            let (start, end) = given.count == 1 ? (0, first) : (first, given[1])
            let step = given.count > 2 ? given[2] : 1
            let limit = 1 << 40
            guard step != 0, [start, end, step].allSatisfy({ abs($0 / 2) < limit }) else {
                throw failure("'range' with numbers out of range")
            }
            try spend(8 * max(0, (end - start) / step))
            return try list(stride(from: start, to: end, by: step).map { .integer($0) })
        case .dict, .namespace:
            var map = TemplateMap()
            if let first = arguments.positional.first {
                guard case .map(let given) = first, arguments.positional.count == 1 else {
                    throw failure("'\(function.rawValue)' takes a dict, or names with values")
                }
                map = given
            }
            for (name, value) in arguments.named { try set(.text(name), value, in: &map) }
            guard function == .namespace else { return try made(.map(map)) }
            let namespace = newNamespace()
            _ = try made(.map(map))
            namespace.values = map
            return .namespace(namespace)
        case .raiseException:
            let message = try bound(["message"])[0].map { try text(of: $0).string } ?? ""
            throw failure("the template refuses the conversation: \(message)")
        case .strftimeNow:
            guard let format = try bound(["format"])[0]?.text else {
                throw failure("'strftime_now' without a format")
            }
            return try made(.text(date.formatted(format.string, failure)))
        }
    }
}
