import Catalogue
import Logging
import Primitives

/// Keeps answers in the catalogue, where the next run finds them.
///
/// When the catalogue cannot be asked, nothing is kept: the service is asked again.
struct CatalogueAnswers: AnswerKeeper {
    let store: any CatalogueStore
    let log: Logger

    func answer(of source: String, to question: String) async -> KeptAnswer? {
        do throws(CatalogueError) {
            return try await store.keptAnswer(of: source, to: question)
        } catch {
            log.debug("\(error)")
            return nil
        }
    }

    func keep(_ answer: KeptAnswer) async {
        do throws(CatalogueError) {
            try await store.keep(answer)
        } catch {
            log.debug("\(error)")
        }
    }
}
